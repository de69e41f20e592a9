import Glibc
import Platform

/// Makes the directories of an installation and says who owns them; blocks, for the pool.
struct DataLayout: Sendable {
    let root: String
    /// Where sockets and views live: inside the data unless that is too long for an address or closed to other users.
    let run: String
    /// Whether the accounts can reach what they own under `root`.
    let isReachable: Bool

    /// A socket name of PostgreSQL (`.s.PGSQL.5432`) and its directory must fit behind it.
    private static let runLimit = 75

    static func make(_ path: String) throws -> DataLayout {
        let isRoot = SystemUser.isRoot
        if let status = try Files.status(path), !status.isDirectory {
            throw DataDirectoryError("\(path) is not a directory: choose another with --data")
        }
        try Files.createDirectory(path)
        let root = try Files.resolved(path)
        guard let status = try Files.status(root), status.userID == geteuid() else {
            throw DataDirectoryError("\(root) belongs to another user: choose another directory with --data")
        }
        // Other accounts pass through to their own directories, but see no names.
        try Files.setMode(root, isRoot ? 0o711 : 0o700)
        let isReachable =
            try !isRoot || ancestors(of: root).allSatisfy { try Files.status($0).map { $0.mode & 1 } == 1 }
        let inside = "\(root)/run"
        let run = inside.utf8.count <= runLimit && isReachable ? inside : shortRun(for: root)
        try makePrivate(run, mode: isRoot ? 0o711 : 0o700)
        return DataLayout(root: root, run: run, isReachable: isReachable)
    }

    /// Makes the directories that have owners of their own.
    func makeOwned(_ accounts: ServiceAccounts?) throws {
        for (path, owner) in [
            ("\(root)/postgres", accounts?.database), ("\(root)/redis", accounts?.database),
            ("\(root)/api", accounts?.api), ("\(root)/worker", nil), ("\(root)/secrets", nil),
        ] {
            try Files.createDirectory(path, mode: 0o700)
            if let owner { try Files.setOwner(path, userID: owner.userID, groupID: owner.groupID) }
        }
        // The authority's certificate is for everybody; the keys in it have owners and modes of their own.
        try Files.createDirectory("\(root)/tls", mode: accounts == nil ? 0o700 : 0o755)
        for name in ["postgres", "redis"] {
            try Files.createDirectory("\(run)/\(name)", mode: accounts == nil ? 0o700 : 0o750)
            guard let accounts else { continue }
            // The databases make their sockets here and the API's group reaches them, nobody else.
            try Files.setOwner("\(run)/\(name)", userID: accounts.database.userID, groupID: accounts.api.groupID)
        }
    }

    private static func shortRun(for root: String) -> String {
        let base =
            if SystemUser.isRoot {
                "/run/errand-"
            } else if let runtime = ProcessEnvironment.variables()["XDG_RUNTIME_DIR"], runtime.hasPrefix("/"),
                runtime.utf8.count < 40, Files.exists(runtime)
            {
                "\(runtime)/errand-"
            } else {
                "/tmp/errand-\(geteuid())-"
            }
        // FNV-1a: the name only has to differ between the installations of one machine.
        let hash = root.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return base + String(hash, radix: 16)
    }

    /// Makes a directory in a place where others can make names, and refuses one that somebody else put there.
    private static func makePrivate(_ path: String, mode: UInt32) throws {
        try Files.createDirectory(path, mode: mode)
        guard let status = try Files.status(path), status.isDirectory, status.userID == geteuid() else {
            throw DataDirectoryError("\(path) belongs to another user: remove it")
        }
        try Files.setMode(path, mode)
    }

    /// The directory and all above it but the root of the file system.
    private static func ancestors(of path: String) -> [String] {
        var found: [String] = []
        var rest = Substring(path)
        while !rest.isEmpty {
            found.append(String(rest))
            guard let slash = rest.lastIndex(of: "/") else { break }
            rest = rest[..<slash]
        }
        return found
    }
}
