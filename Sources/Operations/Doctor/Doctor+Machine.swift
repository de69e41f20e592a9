import Bytes
import Platform

extension Doctor {
    /// Below this the databases stop soon.
    private static let leastSpace: Int64 = 1 << 30
    /// Below this a few workspaces fill the disk.
    private static let goodSpace: Int64 = 10 << 30
    /// Descriptors beside connections: databases, logs, pipes of jobs.
    private static let otherDescriptors = 1000

    static func machine(data: String, connections: Int) -> [Finding] {
        [space(data), clock(), descriptors(connections)]
    }

    private static func space(_ data: String) -> Finding {
        var path = Substring(data)
        while !path.isEmpty, !Files.exists(String(path)) {
            path = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
        }
        let directory = path.isEmpty ? "/" : String(path)
        guard let free = try? Files.freeBytes(directory) else {
            return .failure("disk space", "\(directory) cannot be looked at", fix: "choose another ERRAND_DATA")
        }
        let text = "\(free >> 20) MiB free for \(data)"
        if free < leastSpace { return .failure("disk space", text, fix: "free 1 GiB or choose another ERRAND_DATA") }
        if free < goodSpace { return .warning("disk space", text, fix: "free 10 GiB or choose another ERRAND_DATA") }
        return .fine("disk space", text)
    }

    private static func clock() -> Finding {
        let now = WallClock.now().rfc3339
        // Tokens and certificates go by the clock; this program was written in 2026.
        guard now >= "2026" else {
            return .failure("clock", "it is set to \(now)", fix: "set the clock, for example with timedatectl")
        }
        if Kernel.isClockSynchronized == false {
            let fix = "install chrony or systemd-timesyncd: one-time passwords and tokens need the true time"
            return .warning("clock", "\(now), not synchronised", fix: fix)
        }
        return .fine("clock", now)
    }

    private static func descriptors(_ connections: Int) -> Finding {
        let limit = Kernel.descriptorLimit
        guard limit < connections + otherDescriptors else { return .fine("open files", "at most \(limit)") }
        let fix =
            "raise the limit (LimitNOFILE= or ulimit -n) above \(connections + otherDescriptors), or lower "
            + "ERRAND_MAX_CONNECTIONS"
        return .warning("open files", "at most \(limit)", fix: fix)
    }
}
