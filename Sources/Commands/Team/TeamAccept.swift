import Bytes
package import Platform

/// `errand team accept`: takes an invitation up.
package struct TeamAccept: Verb {
    package static let words = ["team", "accept"]
    package static let usage = "[LINK] [--json]"
    package static let summary = "Accept an invitation; without the link on the line it is asked for."
    package static let options = [TeamOptions.json]

    private let arguments: Arguments

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        guard arguments.words.count <= 1 else { throw UsageError("expected: one LINK at most") }
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        guard let link = try await link() else {
            throw CommandFailure("name the invitation's link", exitCode: ExitCode.usage)
        }
        let body = JSONValue.object(JSONObject([("token", .string(link))]))
        let document = try await client.session.post("/v1/invites/accept", body)
        guard let row = TeamRow(document) else {
            throw CommandFailure("the server's answer is no team", exitCode: ExitCode.unavailable)
        }
        return TeamOutput.tell("you are \(VisibleText.line(row.role)) of \(row.shown)", document, arguments, terminal)
    }

    /// What stands on the command line can be seen by others on the machine, so the link may also be typed.
    private func link() async throws -> String? {
        if let word = arguments.words.first { return word }
        return try await PersonalInput.ask("Link: ", isSecret: true)
    }
}
