import HTTP
package import Platform

/// `errand project delete`: removes a project that has no unfinished job.
package struct ProjectDelete: Verb {
    package static let words = ["project", "delete"]
    package static let usage = "PROJECT"
    package static let summary = "Delete a project that has no unfinished job, by name or id."

    private let named: String

    package init(_ arguments: Arguments) throws(UsageError) {
        named = try arguments.exactly("PROJECT")[0]
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let project = try await client.project(named)
        _ = try await client.session.call(.delete, "/v1/projects/\(project.id)", repeats: .never)
        if client.session.credentials?.project?.id == project.id { try await client.session.remember(nil) }
        terminal.note("deleted \(VisibleText.line(project.name)) (\(project.id))")
        return ExitCode.done
    }
}
