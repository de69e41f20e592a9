import Glibc
import SandboxSpec

/// The proof that a sandbox sees what it should and nothing else, read from its own mount table.
enum MountTable {
    /// The mount points that are allowed, with the options each must carry.
    struct Expectation {
        fileprivate var options: [String: [String]] = [:]
        /// Prefixes below which further read-only mounts are accepted.
        var below: [String] = []

        mutating func add(_ path: String, _ required: [String]) {
            options[path] = required
        }
    }

    /// Compares the mount table with the expectation; answers the mount points.
    static func verify(_ expectation: Expectation, _ steps: Steps) throws(SetupFailure) -> [String] {
        try steps.begin(.mountTable)
        guard let bytes = readFile(AT_FDCWD, "/proc/self/mountinfo", limit: 1 << 20) else {
            throw SetupFailure(steps.current, EIO, "reading the mount table")
        }
        var seen: [String] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " "))
            try steps.require(fields.count > 6, EIO, "a line of the mount table is cut")
            let path = String(decoding: fields[4], as: UTF8.self)
            let options = String(decoding: fields[5], as: UTF8.self).split(separator: ",").map(String.init)
            if let required = expectation.options[path] {
                try steps.require(!seen.contains(path), EEXIST, "two mounts at \(path)")
                try steps.require(required.allSatisfy(options.contains), EPERM, "\(path) is \(options)")
                seen.append(path)
            } else {
                let allowed = expectation.below.contains { path.hasPrefix($0) }
                try steps.require(allowed && options.contains("ro"), EEXIST, "an unexpected mount at \(path)")
            }
        }
        for path in expectation.options.keys where !seen.contains(path) {
            throw SetupFailure(steps.current, ENOENT, "no mount at \(path)")
        }
        return seen
    }
}
