import Glibc
import Platform

/// One process of this machine, as /proc tells.
package struct ProcessEntry: Sendable {
    /// Its number.
    package let pid: Int32
    /// Who started it, or adopted it.
    package let parent: Int32
    /// Whether it has ended and only waits to be reaped.
    package let isZombie: Bool
    /// Its real, effective, saved and file-system users.
    package let users: [UInt32]
    /// Its groups, in the same order.
    package let groups: [UInt32]
    /// Its argument vector.
    package let arguments: [String]

    /// Reads a process; nil when it is gone.
    package init?(pid: Int32) {
        guard let status = try? Files.readAll("/proc/\(pid)/status", limit: 64 << 10),
            let line = try? Files.readAll("/proc/\(pid)/cmdline", limit: 4 << 20)
        else { return nil }
        var fields: [Substring: [Substring]] = [:]
        for row in String(decoding: status, as: UTF8.self).split(separator: "\n") {
            guard let colon = row.firstIndex(of: ":") else { continue }
            fields[row[..<colon]] = row[row.index(after: colon)...].split { $0 == "\t" || $0 == " " }
        }
        guard let parent = fields["PPid"]?.first.flatMap({ Int32($0) }) else { return nil }
        self.pid = pid
        self.parent = parent
        isZombie = fields["State"]?.first.map { $0 == "Z" || $0 == "X" } ?? true
        users = (fields["Uid"] ?? []).compactMap { UInt32($0) }
        groups = (fields["Gid"] ?? []).compactMap { UInt32($0) }
        arguments = line.split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
    }
}

/// The processes of this machine.
package enum ProcessTable {
    /// All that run now.
    package static func all() -> [ProcessEntry] {
        let names = (try? Files.list("/proc")) ?? []
        return names.compactMap { Int32($0) }.compactMap { ProcessEntry(pid: $0) }.filter { !$0.isZombie }
    }

    /// A process and all that it and its own have started.
    package static func tree(of root: Int32) -> [ProcessEntry] {
        let all = all()
        var found = all.filter { $0.pid == root }
        var index = 0
        while index < found.count {
            let pid = found[index].pid
            found += all.filter { $0.parent == pid }
            index += 1
        }
        return found
    }

    /// Those of some processes that still run.
    package static func remaining(of processes: [ProcessEntry]) -> [ProcessEntry] {
        processes.compactMap { old in
            ProcessEntry(pid: old.pid).flatMap { $0.isZombie || $0.arguments != old.arguments ? nil : $0 }
        }
    }
}
