import Bytes
import Glibc
package import Platform

/// The directory of one `errand up`: databases, keys, workspaces, and the lock that keeps it one.
package final class DataDirectory {
    /// The real path.
    package let root: String
    /// Short directory for sockets.
    package let run: String
    /// The accounts of the parts, nil unless root started this.
    package let accounts: ServiceAccounts?
    /// The path under which other accounts see `root`.
    package let childRoot: String
    private let lock: OwnedDescriptor
    private let loop: EventLoop

    /// Makes what is missing and takes the lock; throws `DataDirectoryError` when another process has it.
    package static func open(_ path: String, on loop: EventLoop) async throws -> DataDirectory {
        let layout = try await BlockingPool.run { try DataLayout.make(path) }
        let lock = try await BlockingPool.run { try takeLock(layout.root) }
        let accounts = SystemUser.isRoot ? try await ServiceAccounts.ensure(on: loop) : nil
        try await BlockingPool.run {
            try layout.makeOwned(accounts)
            // Left by a process that was killed; nobody is ready yet.
            try Files.remove("\(layout.root)/ready.json")
        }
        let directory = DataDirectory(layout, lock: OwnedDescriptor(lock), accounts: accounts, loop: loop)
        try await directory.checkView()
        return directory
    }

    private init(_ layout: DataLayout, lock: consuming OwnedDescriptor, accounts: ServiceAccounts?, loop: EventLoop) {
        root = layout.root
        run = layout.run
        self.accounts = accounts
        self.lock = lock
        self.loop = loop
        childRoot = layout.isReachable ? layout.root : "\(layout.run)/data"
    }

    /// The cluster of PostgreSQL.
    package var postgres: String { "\(root)/postgres" }
    /// The files of Redis.
    package var redis: String { "\(root)/redis" }
    /// Certificates and their keys.
    package var tls: String { "\(root)/tls" }
    /// Generated passwords.
    package var secrets: String { "\(root)/secrets" }
    /// What the API keeps.
    package var api: String { "\(root)/api" }
    /// What the worker keeps: workspaces, spool, credential.
    package var worker: String { "\(root)/worker" }
    /// The report for those who wait until everything runs.
    package var readyPath: String { "\(root)/ready.json" }

    /// A path under `root` as other accounts see it.
    package func childPath(_ path: String) -> String {
        path.hasPrefix(root) ? childRoot + path.dropFirst(root.count) : path
    }

    /// A secret that is made once and kept in a file for root or the installation's user alone.
    package func secret(_ name: String, length: Int = 43) async throws -> Secret {
        let path = "\(secrets)/\(name)"
        return try await BlockingPool.run { try GeneratedSecret.ensure(path, length: length) }
    }

    /// Tells those who wait that everything runs.
    package func writeReady(_ report: ReadyReport) async throws {
        let (path, bytes) = (readyPath, report.json())
        try await BlockingPool.run { try Files.writeAtomically(path, bytes, mode: 0o600) }
    }

    /// Takes the report away when that is no longer so.
    package func removeReady() async {
        let path = readyPath
        try? await BlockingPool.run { try Files.remove(path) }
    }

    private static func takeLock(_ root: String) throws -> Int32 {
        let path = "\(root)/lock"
        guard let lock = try Files.lock(path) else {
            let holder = (try? Files.readAll(path, limit: 64)).map { String(decoding: $0, as: UTF8.self) } ?? ""
            let pid = holder.split(separator: "\n").first.map { "process \($0)" } ?? "another process"
            throw DataDirectoryError("\(root) is in use by \(pid): stop it or choose another directory with --data")
        }
        guard ftruncate(lock.raw, 0) == 0 else { throw PlatformError(stage: "ftruncate(\(path))", errno: errno) }
        try Files.writeAll(lock.raw, Array("\(getpid())\n".utf8), name: path)
        return lock.release()
    }

    /// Makes the place of the private mount, and finds out at once when this machine does not allow one.
    private func checkView() async throws {
        guard childRoot != root, let accounts else { return }
        let target = childRoot
        try await BlockingPool.run { try Files.createDirectory(target, mode: 0o711) }
        let probe = running(ProcessSpec(path: "/bin/ls", arguments: ["ls", "-d", childPath(api)]), as: accounts.api)
        let result = try await Program.run(probe, on: loop)
        guard result.status.isSuccess else {
            throw DataDirectoryError(
                "a directory above \(root) is closed to the accounts of the services (\(result.diagnostics)): "
                    + "choose --data below /var/lib, or open the directories above it by chmod o+x"
            )
        }
    }
}
