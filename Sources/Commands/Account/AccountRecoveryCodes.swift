package import Platform

/// `errand account recovery-codes`: new codes; the old ones are dead.
package struct AccountRecoveryCodes: Verb {
    package static let words = ["account", "recovery-codes"]
    package static let usage = "[--json]"
    package static let summary = "Make new recovery codes and print them; the old ones work no more."
    package static let options = [Option("--json", "print the server's document")]

    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let answer = try await client.confirmed { try await client.session.post("/v1/me/recovery-codes") }
        RecoveryCodeText.put(answer, isJSON: isJSON, terminal)
        return ExitCode.done
    }
}
