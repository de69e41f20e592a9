/// The rules for names and link targets in an archive: everything stays inside.
enum TarPath {
    /// The components of an entry's name without `.`; throws for every name that could lead out.
    static func components(_ name: [UInt8], limits: TarLimits) throws(TarRefusal) -> [ArraySlice<UInt8>] {
        try check(name, entry: name, what: "its name", limits: limits)
        guard name.first != slash else { throw TarRefusal(.forbidden, entry: name, "its name is absolute") }
        // A directory is often written with a slash at its end.
        let body = name.last == slash ? name.dropLast() : name[...]
        var kept: [ArraySlice<UInt8>] = []
        for part in body.split(separator: slash, omittingEmptySubsequences: false) {
            guard !part.isEmpty else { throw TarRefusal(.forbidden, entry: name, "its name has an empty component") }
            guard !part.elementsEqual(parent) else {
                throw TarRefusal(.forbidden, entry: name, "its name leads upwards (..)")
            }
            guard part.count <= limits.nameBytes else {
                throw TarRefusal(.tooLarge, entry: name, "a component of its name is over \(limits.nameBytes) bytes")
            }
            if !part.elementsEqual(current) { kept.append(part) }
        }
        return kept
    }

    /// Checks that a symbolic link at `components` points to a place inside, as far as its text tells.
    static func checkLink(
        _ target: [UInt8],
        entry: [UInt8],
        components: [ArraySlice<UInt8>],
        limits: TarLimits
    ) throws(TarRefusal) {
        try check(target, entry: entry, what: "its link target", limits: limits)
        guard target.first != slash else { throw TarRefusal(.forbidden, entry: entry, "its link target is absolute") }
        var depth = components.count - 1
        for part in target.split(separator: slash) where !part.elementsEqual(current) {
            depth += part.elementsEqual(parent) ? -1 : 1
            guard depth >= 0 else {
                throw TarRefusal(.forbidden, entry: entry, "its link target leads out of the workspace")
            }
        }
    }

    private static func check(
        _ text: [UInt8],
        entry: [UInt8],
        what: String,
        limits: TarLimits
    ) throws(TarRefusal) {
        guard !text.isEmpty else { throw TarRefusal(.malformed, entry: entry, "\(what) is empty") }
        guard text.count <= limits.pathBytes else {
            throw TarRefusal(.tooLarge, entry: entry, "\(what) is over \(limits.pathBytes) bytes")
        }
        guard !text.contains(0) else { throw TarRefusal(.malformed, entry: entry, "\(what) holds a NUL byte") }
    }

    private static let slash = UInt8(ascii: "/")
    private static let current = [UInt8](".".utf8)
    private static let parent = [UInt8]("..".utf8)
}
