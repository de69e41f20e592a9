/// What of an archive `tar` could not unpack, read from its complaints.
///
/// What the archive says against itself, or against what is in the workspace, is found out by unpacking alone: a hard
/// link to a file that is nowhere, a file in a directory's place, a way through links that has no end.
struct UnpackFault: Equatable, CustomStringConvertible {
    /// The first entry that failed, and why.
    let description: String

    /// Complaints of a machine that is at fault, as the C library words them: another archive would fare no better.
    private static let ofTheMachine = [
        "No space left on device", "Disk quota exceeded", "Input/output error", "Read-only file system",
        "Cannot allocate memory", "Too many open files", "Too many open files in system", "Structure needs cleaning",
        "Stale file handle", "Transport endpoint is not connected", "Error is not recoverable: exiting now",
    ]
    private static let ending = "Exiting with failure status due to previous errors"

    /// Reads the lines that `tar` wrote; nil when they do not blame the archive.
    init?(_ complaints: [String]) {
        let lines = complaints.compactMap { line in
            line.hasPrefix("tar: ") ? String(line.dropFirst("tar: ".count)) : nil
        }
        guard !lines.contains(where: { line in Self.ofTheMachine.contains(where: line.hasSuffix) }),
            let first = lines.first(where: { $0 != Self.ending })
        else { return nil }
        description = Self.sentence(first) + "; the other entries were unpacked"
    }

    private static func sentence(_ line: String) -> String {
        // `ENTRY: Cannot open: File exists`; an entry's own name may hold a colon, and then the last one counts.
        guard let verb = line.ranges(of: ": Cannot ").last else { return line }
        return "entry \(TarRefusal.quoted(Array(line[..<verb.lowerBound].utf8))): cannot \(line[verb.upperBound...])"
    }
}
