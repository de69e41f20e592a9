import Core
import HTTP
package import Platform

/// `errand key revoke KEY`: the key is dead at once.
package struct KeyRevoke: Verb {
    package static let words = ["key", "revoke"]
    package static let usage = "KEY [--team ID]"
    package static let summary = "End an API key at once."
    package static let options = [KeyOptions.team]

    private let arguments: Arguments
    private let key: APIKeyID

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        key = try KeyOptions.key(arguments.exactly("KEY")[0])
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await KeyOptions.team(arguments, client)
        _ = try await client.session.call(.delete, "/v1/teams/\(team)/api-keys/\(key)", repeats: .never)
        terminal.note("\(key) is revoked")
        return ExitCode.done
    }
}
