import Core
package import HTTP

/// One row of the table of routes.
package struct RouteRow {
    package let method: HTTPMethod
    package let pattern: String
    package let operationID: String
    let operation: (Endpoints) -> (HTTPRequest) async throws -> HTTPResponse

    init(
        _ method: HTTPMethod,
        _ pattern: String,
        _ operationID: String,
        _ operation: @escaping (Endpoints) -> (HTTPRequest) async throws -> HTTPResponse
    ) {
        self.method = method
        self.pattern = pattern
        self.operationID = operationID
        self.operation = operation
    }
}

extension Endpoints {
    /// The one table of routes; the OpenAPI document is held to it by a test.
    package static var table: [RouteRow] {
        [
            RouteRow(.post, "/v1/auth/login", "login", Endpoints.login),
            RouteRow(.post, "/v1/auth/refresh", "refresh", Endpoints.refresh),
            RouteRow(.post, "/v1/auth/logout", "logout", Endpoints.logout),
            RouteRow(.get, "/v1/me", "getMe", Endpoints.me),
            RouteRow(.post, "/v1/stream-tickets", "createStreamTicket", Endpoints.createStreamTicket),
            RouteRow(.get, "/v1/teams", "listTeams", Endpoints.listTeams),
            RouteRow(.post, "/v1/teams", "createTeam", Endpoints.createTeam),
            RouteRow(.get, "/v1/teams/{id}/members", "listMembers", Endpoints.listMembers),
            RouteRow(.get, "/v1/projects", "listProjects", Endpoints.listProjects),
            RouteRow(.post, "/v1/projects", "createProject", Endpoints.createProject),
            RouteRow(.get, "/v1/projects/{id}", "getProject", Endpoints.getProject),
            RouteRow(.patch, "/v1/projects/{id}", "updateProject", Endpoints.updateProject),
            RouteRow(.delete, "/v1/projects/{id}", "deleteProject", Endpoints.deleteProject),
            RouteRow(.put, "/v1/projects/{id}/workspace", "putWorkspace", Endpoints.putWorkspace),
            RouteRow(.get, "/v1/projects/{id}/workspace", "getWorkspace", Endpoints.getWorkspace),
            RouteRow(.post, "/v1/claude/execute", "executeClaude", Endpoints.executeClaude),
            RouteRow(.get, "/v1/jobs", "listJobs", Endpoints.listJobs),
            RouteRow(.post, "/v1/jobs", "createJob", Endpoints.createJob),
            RouteRow(.get, "/v1/jobs/{id}", "getJob", Endpoints.getJob),
            RouteRow(.post, "/v1/jobs/{id}/cancel", "cancelJob", Endpoints.cancelJob),
            RouteRow(.get, "/v1/jobs/{id}/stream", "streamJob", Endpoints.streamJob),
            RouteRow(.get, "/v1/jobs/{id}/events", "jobEvents", Endpoints.jobEvents),
            RouteRow(.get, "/v1/jobs/{id}/output", "jobOutput", Endpoints.jobOutput),
            RouteRow(.get, "/v1/jobs/{id}/transcript", "jobTranscript", Endpoints.jobTranscript),
            RouteRow(.post, "/v1/worker-link/enrol", "enrolWorker", Endpoints.enrolWorker),
            RouteRow(.get, "/v1/worker-link/control", "workerControlLink", Endpoints.workerControlLink),
            RouteRow(.get, "/v1/worker-link/bulk", "workerBulkLink", Endpoints.workerBulkLink),
            RouteRow(.get, "/health", "health", Endpoints.health),
            RouteRow(.get, "/ready", "ready", Endpoints.ready),
            RouteRow(.get, "/metrics", "metrics", Endpoints.metrics),
            RouteRow(.get, "/openapi.json", "openAPI", Endpoints.openAPI),
            RouteRow(.get, "/.well-known/jwks.json", "jwks", Endpoints.jwks),
        ]
    }

    /// The routes of this loop; a store's failure becomes its problem here, once for all.
    package var routes: [Route] {
        Endpoints.table.map { row in
            let operation = row.operation(self)
            // Asking whether the process lives costs nothing, and must be answered in a flood too.
            let isCounted = row.operationID != "health"
            return Route(method: row.method, pattern: row.pattern, operationID: row.operationID) { [self] request in
                do {
                    if isCounted { try admitAny() }
                    return try await operation(request)
                } catch let error as StoreError {
                    throw ProblemError(Problem(error))
                }
            }
        }
    }
}
