/// Checks a tar stream as it passes: bytes in, a refusal or nothing out.
///
/// It extracts nothing: `tar` does that inside the project's sandbox. This reader sees every header before `tar` does,
/// so that a forbidden entry is named and never extracted; the sandbox holds if the two should ever read differently.
struct TarReader: Sendable {
    /// Entries seen: files, directories and links.
    private(set) var entries = 0
    /// Bytes of file contents announced.
    private(set) var totalBytes: UInt64 = 0

    private enum State {
        case header
        /// Contents of an entry pass through; then padding.
        case contents(UInt64)
        /// The body of an extended header or a long name is gathered; then padding.
        case body(type: UInt8, left: Int, padding: Int)
        /// One block of zeros was seen.
        case halfEnd
        /// The archive is over; only zeros may follow.
        case end
    }

    /// Extended headers and long names per entry that sane writers need: a name, a target, two pax headers.
    private static let headersPerEntry = 4

    private let limits: TarLimits
    private var headers = 0
    private var state = State.header
    private var block: [UInt8] = []
    private var body: [UInt8] = []
    private var longName: [UInt8]?
    private var longTarget: [UInt8]?
    private var extended: PaxRecords?

    /// Checks against `limits`.
    init(limits: TarLimits = TarLimits()) { self.limits = limits }

    /// Checks the next bytes; when this throws, none of them may be passed on.
    mutating func feed(_ bytes: [UInt8]) throws(TarRefusal) {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch state {
            case .header, .halfEnd:
                let piece = rest.prefix(TarHeader.blockLength - block.count)
                block += piece
                rest = rest.dropFirst(piece.count)
                if block.count == TarHeader.blockLength { try takeBlock() }
            case .contents(let left):
                let count = min(left, UInt64(rest.count))
                rest = rest.dropFirst(Int(count))
                state = left == count ? .header : .contents(left - count)
            case .body(let type, let left, let padding):
                let piece = rest.prefix(left + padding)
                body += piece.prefix(left)
                rest = rest.dropFirst(piece.count)
                let skipped = piece.count - min(left, piece.count)
                state = .body(type: type, left: max(0, left - piece.count), padding: padding - skipped)
                if left + padding == piece.count { try finishBody(type) }
            case .end:
                guard rest.allSatisfy({ $0 == 0 }) else {
                    throw TarRefusal(.malformed, "something follows the end of the archive")
                }
                return
            }
        }
    }

    /// Takes the end of the stream: the archive must be complete.
    func finish() throws(TarRefusal) {
        guard case .end = state else { throw TarRefusal(.cut, "the archive is cut short") }
    }

    private mutating func takeBlock() throws(TarRefusal) {
        defer { block.removeAll(keepingCapacity: true) }
        let isZero = block.allSatisfy { $0 == 0 }
        if case .halfEnd = state {
            guard isZero else { throw TarRefusal(.malformed, "a block of zeros stands inside the archive") }
            state = .end
            return
        }
        guard !isZero else {
            guard longName == nil, longTarget == nil, extended == nil else {
                throw TarRefusal(.malformed, "an extended header has no entry")
            }
            state = .halfEnd
            return
        }
        try take(TarHeader(block))
    }

    private mutating func take(_ header: TarHeader) throws(TarRefusal) {
        headers += 1
        guard headers <= (limits.entries + 1) * Self.headersPerEntry else {
            throw TarRefusal(.tooLarge, "the archive has too many headers")
        }
        switch header.type {
        case UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"), UInt8(ascii: "K"):
            guard header.size > 0, header.size <= UInt64(limits.extendedHeaderBytes) else {
                throw TarRefusal(.tooLarge, entry: header.name, "its extended header has \(header.size) bytes")
            }
            body = []
            state = .body(type: header.type, left: Int(header.size), padding: Self.padding(header.size))
        default: try takeEntry(header)
        }
    }

    private mutating func finishBody(_ type: UInt8) throws(TarRefusal) {
        state = .header
        switch type {
        case UInt8(ascii: "L"): longName = Array(body.prefix { $0 != 0 })
        case UInt8(ascii: "K"): longTarget = Array(body.prefix { $0 != 0 })
        case UInt8(ascii: "g"): _ = try PaxRecords(body, isGlobal: true)
        default:
            // A second one would override the first in some readers and add to it in others.
            guard extended == nil else { throw TarRefusal(.malformed, "an entry has two extended headers") }
            extended = try PaxRecords(body, isGlobal: false)
        }
    }

    private mutating func takeEntry(_ header: TarHeader) throws(TarRefusal) {
        let name = extended?.path ?? longName ?? header.name
        let target = extended?.linkTarget ?? longTarget ?? header.linkTarget
        let size = extended?.size ?? header.size
        (extended, longName, longTarget) = (nil, nil, nil)
        let components = try TarPath.components(name, limits: limits)
        entries += 1
        guard entries <= limits.entries else {
            throw TarRefusal(.tooLarge, entry: name, "the archive has over \(limits.entries) entries")
        }
        if header.type != UInt8(ascii: "5") { try requireOwnPlace(name, components) }
        switch header.type {
        case UInt8(ascii: "0"): try takeFile(name, size: size)
        case UInt8(ascii: "5"):
            // Some writers announce the size of a directory, but no bytes follow; others mean bytes.
            guard size == 0 else { throw TarRefusal(.malformed, entry: name, "a directory has contents") }
        case UInt8(ascii: "2"):
            try TarPath.checkLink(target, entry: name, components: components, limits: limits)
            guard size == 0 else { throw TarRefusal(.malformed, entry: name, "a link has contents") }
        case UInt8(ascii: "1"):
            // The target of a hard link is an entry's name, counted from the root.
            guard try !TarPath.components(target, limits: limits).isEmpty else {
                throw TarRefusal(.forbidden, entry: name, "it is a hard link to the root")
            }
            guard size == 0 else { throw TarRefusal(.malformed, entry: name, "a hard link has contents") }
        case UInt8(ascii: "3"), UInt8(ascii: "4"):
            throw TarRefusal(.forbidden, entry: name, "it is a device")
        case UInt8(ascii: "6"): throw TarRefusal(.forbidden, entry: name, "it is a FIFO")
        default:
            let kind = TarRefusal.quoted([header.type])
            throw TarRefusal(.forbidden, entry: name, "it is of the kind \(kind), which is not allowed")
        }
    }

    /// Refuses a name that only a directory can have.
    private func requireOwnPlace(_ name: [UInt8], _ components: [ArraySlice<UInt8>]) throws(TarRefusal) {
        guard !components.isEmpty else {
            throw TarRefusal(.forbidden, entry: name, "what is no directory takes the root's place")
        }
        guard name.last != UInt8(ascii: ".") || components.last?.last == UInt8(ascii: ".") else {
            throw TarRefusal(.malformed, entry: name, "what is no directory has the name of one (.)")
        }
    }

    private mutating func takeFile(_ name: [UInt8], size: UInt64) throws(TarRefusal) {
        guard name.last != UInt8(ascii: "/") else {
            throw TarRefusal(.malformed, entry: name, "a file has the name of a directory")
        }
        guard size <= limits.fileBytes else {
            throw TarRefusal(.tooLarge, entry: name, "it has \(size) bytes; a file may have \(limits.fileBytes)")
        }
        totalBytes += size
        guard totalBytes <= limits.totalBytes else {
            throw TarRefusal(.tooLarge, entry: name, "the archive has over \(limits.totalBytes) bytes of contents")
        }
        guard size > 0 else { return }
        state = .contents(size + UInt64(Self.padding(size)))
    }

    /// Bytes to the next block.
    private static func padding(_ size: UInt64) -> Int {
        let partial = Int(size % UInt64(TarHeader.blockLength))
        return partial == 0 ? 0 : TarHeader.blockLength - partial
    }
}
