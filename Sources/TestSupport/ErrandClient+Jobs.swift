package import Bytes
import HTTP
import Platform

/// Projects and jobs as tests use them.
extension ErrandClient {
    /// Makes a project and gives its id.
    package func project(_ name: String? = nil) async throws -> String {
        loop.requireOnLoop()
        let name = name ?? "test-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        let project = try await expect([201], .post, "/v1/projects", .object(JSONObject([("name", .string(name))])))
        guard let id = project["id"]?.string else { throw ClientError(description: "a project without an id") }
        return id
    }

    /// Submits a shell script and gives the job's id.
    package func shell(
        _ script: String,
        in project: String,
        _ more: [(String, JSONValue)] = [],
        key: String? = nil
    ) async throws -> String {
        loop.requireOnLoop()
        let body = Self.command(["sh", "-c", script], in: project, more)
        return try await submit("/v1/jobs", body, key: key)
    }

    /// Submits a prompt and gives the job's id.
    package func prompt(_ text: String, in project: String) async throws -> String {
        loop.requireOnLoop()
        let body = JSONObject([("project_id", .string(project)), ("prompt", .string(text))])
        return try await submit("/v1/claude/execute", .object(body), key: nil)
    }

    /// The body that runs a program.
    package static func command(
        _ argv: [String],
        in project: String,
        _ more: [(String, JSONValue)] = []
    ) -> JSONValue {
        let fields: [(String, JSONValue)] = [
            ("project_id", .string(project)), ("kind", .string("command")), ("argv", .array(argv.map { .string($0) })),
        ]
        return .object(JSONObject(fields + more))
    }

    /// The job as it is now.
    package func job(_ id: String) async throws -> JSONValue {
        loop.requireOnLoop()
        return try await expect([200], .get, "/v1/jobs/\(id)")
    }

    /// Follows a job to its end and gives it as it is then.
    @discardableResult
    package func finished(_ id: String) async throws -> JSONValue {
        loop.requireOnLoop()
        try await JobViewer(id, self).finish()
        return try await job(id)
    }

    /// What a job printed.
    package func output(_ id: String) async throws -> String {
        loop.requireOnLoop()
        let answer = try await send(.get, "/v1/jobs/\(id)/output")
        guard answer.status == 200 else { throw ClientError(description: "output: \(answer.status) \(answer.text)") }
        return answer.text
    }

    private func submit(_ path: String, _ body: JSONValue, key: String?) async throws -> String {
        loop.requireOnLoop()
        let headers = key.map { [("idempotency-key", $0)] } ?? []
        let job = try await expect([202], .post, path, body, headers: headers)
        guard let id = job["id"]?.string else { throw ClientError(description: "a job without an id") }
        return id
    }
}
