import Bytes
package import Platform

/// `errand project show`: one project.
package struct ProjectShow: Verb {
    package static let words = ["project", "show"]
    package static let usage = "[PROJECT] [--json]"
    package static let summary = "Show one project, by name or id; the default one unless named."
    package static let options = [Option("--json", "print the project's document")]

    private let named: String?
    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        guard arguments.words.count <= 1 else { throw UsageError("expected: one PROJECT at most") }
        named = arguments.words.first
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let project = try await client.project(named)
        let document = try await client.session.get("/v1/projects/\(project.id)")
        if isJSON {
            terminal.put(document.encoded() + [UInt8(ascii: "\n")])
        } else {
            for line in DocumentText.lines(document) { terminal.print(line) }
        }
        return ExitCode.done
    }
}
