import Glibc
package import Platform

/// An account of the operating system.
package struct SystemUser: Hashable, Sendable {
    /// Its name.
    package let name: String
    /// Its number.
    package let userID: UInt32
    /// The number of its group.
    package let groupID: UInt32

    /// Names an account by its numbers.
    package init(name: String, userID: UInt32, groupID: UInt32) {
        self.name = name
        self.userID = userID
        self.groupID = groupID
    }

    /// Looks an account up, blocking for the user database; nil when there is none.
    package static func find(_ name: String) -> SystemUser? {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        // The longest entry that the C library itself suggests to make room for, and more.
        var buffer = [CChar](repeating: 0, count: 16 * 1024)
        let result = unsafe getpwnam_r(name, &entry, &buffer, buffer.count, &found)
        guard result == 0, unsafe found != nil else { return nil }
        return SystemUser(name: name, userID: unsafe entry.pw_uid, groupID: unsafe entry.pw_gid)
    }

    /// Who runs this process, and through `sudo` for whom: a name for a record, not for a decision.
    package static var currentName: String {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 * 1024)
        let result = unsafe getpwuid_r(geteuid(), &entry, &buffer, buffer.count, &found)
        let name = result == 0 ? unsafe found.map { unsafe String(cString: $0.pointee.pw_name) } : nil
        let own = name ?? "uid \(geteuid())"
        guard let person = ProcessEnvironment.variables()["SUDO_USER"], !person.isEmpty else { return own }
        return "\(own), by sudo from \(person)"
    }

    /// Whether this process may start programs as other users.
    package static var isRoot: Bool { geteuid() == 0 }
}

/// The accounts that an installation started by root runs its parts under, so that none can touch another's files.
package struct ServiceAccounts: Hashable, Sendable {
    /// PostgreSQL and Redis.
    package let database: SystemUser
    /// The API.
    package let api: SystemUser
    /// The worker.
    package let worker: SystemUser

    /// Finds the accounts `PREFIX-db`, `PREFIX-api` and `PREFIX-worker`, and makes those that are missing.
    package static func ensure(prefix: String = "errand", on loop: EventLoop) async throws -> ServiceAccounts {
        let names = ["\(prefix)-db", "\(prefix)-api", "\(prefix)-worker"]
        if let found = try await find(names) { return found }
        let lock = try await takeLock(on: loop)
        defer { withExtendedLifetime(lock) {} }
        for name in names where try await BlockingPool.run({ SystemUser.find(name) }) == nil {
            try await make(name, on: loop)
        }
        guard let made = try await find(names) else {
            throw DataDirectoryError("the accounts \(names.joined(separator: ", ")) vanished while they were made")
        }
        return made
    }

    private static func find(_ names: [String]) async throws -> ServiceAccounts? {
        let users = try await BlockingPool.run { names.compactMap { SystemUser.find($0) } }
        guard users.count == names.count else { return nil }
        return ServiceAccounts(database: users[0], api: users[1], worker: users[2])
    }

    /// Two `useradd` of one name at once both succeed, and the second changes the number that the first gave.
    private static func takeLock(on loop: EventLoop) async throws -> HeldLock {
        let deadline = loop.now.advanced(by: .seconds(60))
        while loop.now < deadline {
            let raw = try await BlockingPool.run { try Files.lock("/run/errand-accounts.lock")?.release() }
            if let raw { return HeldLock(OwnedDescriptor(raw)) }
            await loop.sleep(.milliseconds(50))
        }
        throw DataDirectoryError("another process has been making accounts for a minute: stop it")
    }

    private static func make(_ name: String, on loop: EventLoop) async throws {
        guard let program = Program.find("useradd") else {
            throw DataDirectoryError("the account \(name) is missing and there is no useradd: make it by hand")
        }
        let arguments = [
            "useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell",
            "/usr/sbin/nologin", name,
        ]
        _ = try await Program.require(ProcessSpec(path: program, arguments: arguments), on: loop)
    }
}

/// A lock that lasts as long as somebody refers to it.
private final class HeldLock {
    private let descriptor: OwnedDescriptor

    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
    }
}
