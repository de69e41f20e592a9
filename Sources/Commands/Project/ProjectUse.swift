package import Platform

/// `errand project use`: chooses the project of commands that name none.
package struct ProjectUse: Verb {
    package static let words = ["project", "use"]
    package static let usage = "PROJECT"
    package static let summary = "Choose the default project, by name or id."

    private let named: String

    package init(_ arguments: Arguments) throws(UsageError) {
        named = try arguments.exactly("PROJECT")[0]
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        guard client.session.credentials != nil else {
            throw CommandFailure(
                "with ERRAND_TOKEN nothing is remembered: set ERRAND_PROJECT",
                exitCode: ExitCode.usage
            )
        }
        let project = try await client.project(named)
        try await client.session.remember(project)
        terminal.note("\(VisibleText.line(project.name)) (\(project.id)) is the default project")
        return ExitCode.done
    }
}
