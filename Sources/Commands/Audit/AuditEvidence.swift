import API
import Auth
import Operations
import Platform

/// What the audit log is held to: the public key, and the checkpoints that stand outside the database.
struct AuditEvidence: Sendable {
    let key: AuditPublicKey
    let shelf: AuditCheckpointShelf
    /// Pieces of the files that are no checkpoints of this log.
    let foreign: Int

    static let options = [
        Option("--key", "FILE", "the log's public key, best a copy that was kept elsewhere"),
        Option("--checkpoints", "FILE", "signed checkpoints that were kept elsewhere; may be repeated"),
    ]

    /// Reads the files that the options name, and those of the installation.
    static func load(_ arguments: Arguments, directory: String?) async throws -> AuditEvidence {
        let configuration = try Configuration.load()
        let keyPath =
            arguments.value("--key") ?? directory.map { place("audit-key.pub", in: $0) }
            ?? AuditPaths.publicKey(beside: AuditPaths.key(configuration))
        let own =
            directory.map { place("audit-checkpoints.txt", in: $0) } ?? AuditPaths.checkpoints(configuration)
        let named = arguments.all("--checkpoints")
        return try await BlockingPool.run {
            guard Files.exists(keyPath) else {
                throw CommandFailure(
                    "there is no public key at \(keyPath): name a copy of it with --key FILE",
                    exitCode: ExitCode.usage
                )
            }
            let text = String(decoding: try Files.readAll(keyPath, limit: 4_096), as: UTF8.self)
            guard let key = AuditPublicKey(text.prefix { $0 != "\n" }) else {
                throw CommandFailure("\(keyPath) is no public key of an audit log", exitCode: ExitCode.usage)
            }
            if let missing = named.first(where: { !Files.exists($0) }) {
                throw CommandFailure("there is no file \(missing)", exitCode: ExitCode.usage)
            }
            var shelf = AuditCheckpointShelf()
            var foreign = 0
            for path in named + [own] {
                foreign += try AuditCheckpointFile(path: path).read(key: key, into: &shelf)
                shelf.endSource()
            }
            return AuditEvidence(key: key, shelf: shelf, foreign: foreign)
        }
    }

    /// Reads the files that `errand up` has in its directory.
    static func load(directory: String) async throws -> AuditEvidence {
        try await load(Arguments([], options: []), directory: directory)
    }

    /// Where `errand up` has a file, or else where `errand serve` by itself has it.
    private static func place(_ name: String, in directory: String) -> String {
        let api = "\(directory)/api/\(name)"
        return Files.exists(api) ? api : "\(directory)/secrets/\(name)"
    }
}
