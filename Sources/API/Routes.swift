import Core
package import HTTP

extension Endpoints {
    /// The one table of routes; the OpenAPI document is held to it by a test.
    package var routes: [Route] {
        [
            route(.post, "/v1/auth/login", "login", login),
            route(.post, "/v1/auth/refresh", "refresh", refresh),
            route(.post, "/v1/auth/logout", "logout", logout),
            route(.get, "/v1/me", "getMe", me),
            route(.post, "/v1/stream-tickets", "createStreamTicket", createStreamTicket),
            route(.get, "/v1/teams", "listTeams", listTeams),
            route(.post, "/v1/teams", "createTeam", createTeam),
            route(.get, "/v1/teams/{id}/members", "listMembers", listMembers),
            route(.get, "/v1/projects", "listProjects", listProjects),
            route(.post, "/v1/projects", "createProject", createProject),
            route(.get, "/v1/projects/{id}", "getProject", getProject),
            route(.patch, "/v1/projects/{id}", "updateProject", updateProject),
            route(.delete, "/v1/projects/{id}", "deleteProject", deleteProject),
            route(.put, "/v1/projects/{id}/workspace", "putWorkspace", putWorkspace),
            route(.get, "/v1/projects/{id}/workspace", "getWorkspace", getWorkspace),
            route(.post, "/v1/claude/execute", "executeClaude", executeClaude),
            route(.get, "/v1/jobs", "listJobs", listJobs),
            route(.post, "/v1/jobs", "createJob", createJob),
            route(.get, "/v1/jobs/{id}", "getJob", getJob),
            route(.post, "/v1/jobs/{id}/cancel", "cancelJob", cancelJob),
            route(.get, "/v1/jobs/{id}/stream", "streamJob", streamJob),
            route(.get, "/v1/jobs/{id}/events", "jobEvents", jobEvents),
            route(.get, "/v1/jobs/{id}/output", "jobOutput", jobOutput),
            route(.get, "/v1/jobs/{id}/transcript", "jobTranscript", jobTranscript),
            route(.post, "/v1/worker-link/enrol", "enrolWorker", enrolWorker),
            route(.get, "/v1/worker-link/control", "workerControlLink", workerControlLink),
            route(.get, "/v1/worker-link/bulk", "workerBulkLink", workerBulkLink),
            route(.get, "/health", "health", health),
            route(.get, "/ready", "ready", ready),
            route(.get, "/metrics", "metrics", metrics),
            route(.get, "/openapi.json", "openAPI", openAPI),
            route(.get, "/.well-known/jwks.json", "jwks", jwks),
        ]
    }

    private func route(
        _ method: HTTPMethod,
        _ pattern: String,
        _ operationID: String,
        _ handler: @escaping (HTTPRequest) async throws -> HTTPResponse
    ) -> Route {
        Route(method: method, pattern: pattern, operationID: operationID) { request in
            do {
                return try await handler(request)
            } catch let error as StoreError {
                throw ProblemError(Problem(error))
            }
        }
    }
}
