import Auth
import Bytes
import Operations
import Platform

/// The file of the keys that sign access tokens.
struct SigningKeyFile: Sendable {
    let path: String

    /// No set of keys comes near this.
    private static let limit = 1 << 20

    /// The file that the configuration names, else that of its data directory.
    init(_ configuration: Configuration) {
        path = configuration.signingKeys ?? configuration.dataDirectory + "/secrets/signing-keys.json"
    }

    /// The file that an administrator means: of the data directory of an `errand up`, or of a server.
    init(_ configuration: Configuration, dataDirectory: String?) {
        let directory = dataDirectory ?? configuration.dataDirectory
        let own = directory + "/api/signing-keys.json"
        if dataDirectory == nil, let named = configuration.signingKeys {
            path = named
        } else {
            path = Files.exists(own) ? own : directory + "/secrets/signing-keys.json"
        }
    }

    /// Reads the key set and its text, and makes the first one when there is none yet.
    func loadOrMake() throws -> (set: SigningKeySet, text: [UInt8]) {
        if !Files.exists(path) {
            let first = try SigningKeySet(firstKeyAt: WallClock.now())
            try Files.writeAtomically(path, first.document(), mode: 0o600)
        }
        let text = try bytes()
        return (try SigningKeySet(document: text), text)
    }

    /// Reads the key set.
    func load() throws -> SigningKeySet { try SigningKeySet(document: bytes()) }

    /// The text of the file.
    func bytes() throws(PlatformError) -> [UInt8] { try Files.readAll(path, limit: Self.limit) }

    /// Replaces the key set; the file stays its owner's, who may not be whoever replaces it.
    func store(_ set: SigningKeySet) throws {
        guard let status = try Files.status(path) else {
            throw CommandFailure("there is no file of signing keys at \(path)", exitCode: ExitCode.notFound)
        }
        try Files.writeAtomically(path, set.document(), mode: 0o600, owner: status)
    }
}
