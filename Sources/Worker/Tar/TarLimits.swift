/// The bounds of a workspace archive, each with its reason.
struct TarLimits: Sendable {
    /// Above the largest checked-out repositories; below it, a flood of empty files exhausts inodes.
    var entries = 200_000
    /// What a workspace may bring at once; more belongs in an artefact store.
    var totalBytes: UInt64 = 2 << 30
    /// One file leaves room for others.
    var fileBytes: UInt64 = 1 << 30
    /// The longest path the kernel takes.
    var pathBytes = 4_095
    /// The longest name in one directory.
    var nameBytes = 255
    /// Extended headers hold a path or two and some times.
    var extendedHeaderBytes = 64 << 10

    /// The bounds for a workspace.
    init() {}
}

/// Why an archive is refused, in words that name the entry.
struct TarRefusal: Error, Equatable, CustomStringConvertible {
    /// What is wrong with it.
    enum Reason: Equatable {
        /// Not an archive, or one that is damaged.
        case malformed
        /// An entry of a kind or at a place that is not allowed.
        case forbidden
        /// Over a limit.
        case tooLarge
        /// The archive ends before its end.
        case cut
    }

    let reason: Reason
    let description: String

    /// Refuses an archive as a whole.
    init(_ reason: Reason, _ text: String) {
        self.reason = reason
        description = text
    }

    /// Refuses one entry.
    init(_ reason: Reason, entry: [UInt8], _ text: String) {
        self.init(reason, "entry \(Self.quoted(entry)): \(text)")
    }

    /// A name as one printable line of bounded length.
    static func quoted(_ name: [UInt8]) -> String {
        let shown = String(decoding: name.prefix(200), as: UTF8.self).unicodeScalars.map { scalar in
            scalar.value < 0x20 || scalar.value == 0x7f ? "?" : String(scalar)
        }
        return "\"" + shown.joined() + (name.count > 200 ? "…" : "") + "\""
    }
}
