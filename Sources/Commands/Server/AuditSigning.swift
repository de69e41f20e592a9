import API
import Auth
import Operations
import Platform

/// What signs the audit log of this installation, and where it leaves what it signed.
struct AuditSigning: Sendable {
    let key: AuditKey
    let publicKey: AuditPublicKey
    let file: AuditCheckpointFile
    let rhythm: AuditCare.Rhythm

    /// Reads the key, and makes it when there is none yet; its public half lies beside it, to be copied elsewhere.
    static func load(_ configuration: Configuration, host: String) throws -> AuditSigning {
        let path = AuditPaths.key(configuration)
        let publicPath = AuditPaths.publicKey(beside: path)
        let key: AuditKey
        if try Files.status(path) != nil {
            key = try AuditKey(document: try Files.readAll(path, limit: 64 << 10))
        } else {
            for left in [publicPath, AuditPaths.checkpoints(configuration)] where try Files.status(left) != nil {
                throw CommandFailure(
                    "\(path), which signs the audit log, is gone, and \(left) is there: put the key back, or move that away"
                )
            }
            key = try AuditKey(host: host, at: WallClock.now())
            try Files.writeAtomically(path, key.document(), mode: 0o600)
        }
        guard let publicKey = key.publicKey else { throw AuditKeyError.malformed("name") }
        if try Files.status(publicPath) == nil {
            try Files.writeAtomically(publicPath, Array("\(publicKey)\n".utf8), mode: 0o600)
        } else if try Files.readAll(publicPath, limit: 4_096) != Array("\(publicKey)\n".utf8) {
            throw CommandFailure("\(publicPath) is not the public half of \(path): find out which of them is right")
        }
        return AuditSigning(
            key: key,
            publicKey: publicKey,
            file: AuditCheckpointFile(path: AuditPaths.checkpoints(configuration)),
            rhythm: AuditCare.Rhythm(entries: configuration.auditEntries, interval: configuration.auditInterval)
        )
    }
}

/// Where the parts of the audit log are that are no rows.
enum AuditPaths {
    /// The file that checkpoints are appended to.
    static func checkpoints(_ configuration: Configuration) -> String {
        configuration.auditCheckpoints ?? configuration.dataDirectory + "/secrets/audit-checkpoints.txt"
    }

    /// The file of the key.
    static func key(_ configuration: Configuration) -> String {
        configuration.auditKey ?? configuration.dataDirectory + "/secrets/audit-key.json"
    }

    /// The public half of a key's file.
    static func publicKey(beside path: String) -> String {
        (path.hasSuffix(".json") ? String(path.dropLast(5)) : path) + ".pub"
    }
}
