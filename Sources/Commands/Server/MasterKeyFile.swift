import API
import Auth
import Bytes
import Core
import Glibc
import Operations
import Platform

/// The file of the master keys; whoever can read it and the database can read every stored secret.
struct MasterKeyFile: Sendable {
    /// What systemd calls it when it hands it out.
    private static let credentialName = "errand-master-key"
    /// Sixty-four keys take a tenth of it.
    private static let limit = 64 << 10

    let path: String
    /// Whether it is a copy that systemd made for this run of the unit: changed where the original is, not here.
    let isCredential: Bool

    /// The file that the configuration names, else systemd's credential, else that of the data directory.
    init(_ configuration: Configuration) {
        let credential = configuration.credentialsDirectory.map { "\($0)/\(Self.credentialName)" }
        if let named = configuration.masterKeys {
            (path, isCredential) = (named, false)
        } else if let credential, Files.exists(credential) {
            (path, isCredential) = (credential, true)
        } else {
            (path, isCredential) = (configuration.dataDirectory + "/secrets/master-keys.json", false)
        }
    }

    /// The file that an administrator means: of the data directory of an `errand up`, or of a server.
    init(_ configuration: Configuration, dataDirectory: String?) {
        let own = (dataDirectory ?? configuration.dataDirectory) + "/api/master-keys.json"
        if dataDirectory != nil || configuration.masterKeys == nil, Files.exists(own) {
            self.init(path: own)
        } else if let dataDirectory {
            self.init(path: dataDirectory + "/secrets/master-keys.json")
        } else {
            self.init(configuration)
        }
    }

    private init(path: String) {
        (self.path, isCredential) = (path, false)
    }

    /// Refuses a credential that `errand up` cannot use: systemd lets only the supervisor read it, which is not the API.
    static func refuseCredential(_ configuration: Configuration) throws {
        let file = MasterKeyFile(configuration)
        guard file.isCredential else { return }
        throw CommandFailure(
            "\(file.path) is for a unit that runs `errand serve`: `errand up` keeps the master keys in its data directory, "
                + "or where ERRAND_MASTER_KEYS says",
            exitCode: ExitCode.usage
        )
    }

    /// Reads the keys, and makes the first one when there is no file yet.
    func loadOrMake(on loop: EventLoop) async throws -> MasterKeyRing {
        let end = loop.now.advanced(by: .seconds(10))
        while loop.now < end {
            if Files.exists(path) { return try load() }
            if let slash = path.lastIndex(of: "/") { try Files.createDirectory(String(path[..<slash])) }
            // Two servers of one directory that start together must not each make a key.
            if let lock = try Files.lock("\(path).lock") {
                if Files.exists(path) { return try load() }
                let ring = MasterKeyRing(firstKeyAt: WallClock.now())
                try Files.writeAtomically(path, ring.document(), mode: 0o600)
                _ = consume lock
                return ring
            }
            await loop.sleep(.milliseconds(50))
        }
        throw CommandFailure("another process has been making \(path) for ten seconds: stop it")
    }

    /// Reads the keys of a file that nobody else can read.
    func load() throws -> MasterKeyRing {
        let real = try Files.resolved(path)
        guard let status = try Files.status(real), status.isRegularFile else {
            throw CommandFailure("\(path) is not a file")
        }
        // systemd lets a unit's user in by an access list, of which the group's bits are the mask.
        let open: UInt32 = isCredential ? 0o027 : 0o077
        guard status.mode & open == 0 else {
            throw CommandFailure("\(path) can be read or changed by others: chmod 600 it, and rotate the master key")
        }
        guard status.userID == 0 || status.userID == geteuid() || geteuid() == 0 else {
            throw CommandFailure("\(path) belongs to another account, which could read every stored secret")
        }
        do throws(MasterKeyRingError) {
            return try MasterKeyRing(document: try bytes(of: real))
        } catch {
            throw CommandFailure("\(path): \(error)")
        }
    }

    /// Replaces the keys; the file stays its owner's, who may not be whoever replaces it.
    func store(_ ring: MasterKeyRing) throws {
        let real = try Files.resolved(path)
        try Files.writeAtomically(real, ring.document(), mode: 0o600, owner: try Files.status(real))
    }

    /// Runs a body while no other administrator changes the file; a credential is changed by nobody here.
    func locked(_ body: () async throws -> Void) async throws {
        guard !isCredential else { return try await body() }
        guard let lock = try Files.lock("\(path).lock") else {
            throw CommandFailure("somebody else is changing the master keys at this moment")
        }
        try await body()
        _ = consume lock
    }

    private func bytes(of real: String) throws(MasterKeyRingError) -> [UInt8] {
        do throws(PlatformError) {
            return try Files.readAll(real, limit: Self.limit)
        } catch {
            throw .malformed(error.description)
        }
    }
}

/// The master keys of a server, as its file had them last.
final class MasterKeyHolder: MasterKeys {
    private let file: MasterKeyFile
    private let state: Lock<MasterKeyRing>

    init(_ file: MasterKeyFile, _ ring: MasterKeyRing) {
        self.file = file
        state = Lock(ring)
    }

    /// Where the keys are.
    var path: String { file.path }

    var ring: MasterKeyRing { state.withLock { $0 } }

    func reread() async throws -> MasterKeyRing {
        let ring = try await BlockingPool.run { [file] in try file.load() }
        state.withLock { $0 = ring }
        return ring
    }
}
