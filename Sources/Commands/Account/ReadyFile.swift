import Bytes
import Platform

/// What `errand up` writes into its data directory for clients of the same machine.
struct ReadyFile: Equatable {
    let url: String
    let caFile: String?
    let email: String?
    let passwordFile: String?

    /// Reads the text of `ready.json`; nil when it names no server.
    init?(_ bytes: [UInt8]) {
        guard let json = try? JSONReader.parse(bytes), let url = json["url"]?.string else { return nil }
        self.url = url
        caFile = json["ca_file"]?.string
        email = json["admin_email"]?.string
        passwordFile = json["admin_password_file"]?.string
    }

    /// Reads the file in a data directory.
    static func read(in directory: String) async throws -> ReadyFile {
        let path = directory + "/ready.json"
        let bytes: [UInt8]
        do {
            bytes = try await BlockingPool.run { try Files.readAll(path, limit: 64 << 10) }
        } catch {
            throw CommandFailure("\(error): is `errand up --data \(directory)` running?", exitCode: ExitCode.usage)
        }
        guard let ready = ReadyFile(bytes) else {
            throw CommandFailure("\(path) names no server", exitCode: ExitCode.usage)
        }
        return ready
    }
}
