import Auth
import Core
import HTTP

/// An operation behind its gate.
///
/// There is no way to make one without saying who may call it.
struct GuardedOperation {
    let access: RouteAccess
    let run: (Endpoints, HTTPRequest) async throws -> HTTPResponse

    /// An operation that anybody may call.
    static func anyone(
        _ operation: @escaping (Endpoints) -> (HTTPRequest) async throws -> HTTPResponse
    ) -> GuardedOperation {
        GuardedOperation(access: .anyone) { try await operation($0)($1) }
    }

    /// A page for a person, which finds out by its cookie who that is; what is wrong is told as a page too.
    static func page(
        _ operation: @escaping (Endpoints) -> (HTTPRequest) async throws -> HTTPResponse
    ) -> GuardedOperation {
        GuardedOperation(access: .page) { try await operation($0)($1) }
    }

    /// An operation that lets in the machine itself and administrators.
    static func machine(
        _ operation: @escaping (Endpoints) -> (HTTPRequest) async throws -> HTTPResponse
    ) -> GuardedOperation {
        GuardedOperation(access: .machine) { endpoints, request in
            try await endpoints.demandMachine(request)
            return try await operation(endpoints)(request)
        }
    }

    /// An operation that checks a worker's secret by itself.
    static func worker(
        _ operation: @escaping (Endpoints) -> (HTTPRequest) async throws -> HTTPResponse
    ) -> GuardedOperation {
        GuardedOperation(access: .worker) { try await operation($0)($1) }
    }

    /// An operation of a signed-in person about themselves.
    static func person(
        _ operation: @escaping (Endpoints) -> (HTTPRequest, Person) async throws -> HTTPResponse
    ) -> GuardedOperation {
        GuardedOperation(access: .person) { endpoints, request in
            try await operation(endpoints)(request, endpoints.authenticatePerson(request))
        }
    }

    /// An operation about whoever asks, be it a person or an API key.
    static func account(
        _ operation: @escaping (Endpoints) -> (HTTPRequest, Principal) async throws -> HTTPResponse
    ) -> GuardedOperation {
        GuardedOperation(access: .account) { endpoints, request in
            try await operation(endpoints)(request, endpoints.authenticate(request))
        }
    }

    /// An operation whose object is not in the path: it gets it by the call, which checks the permission.
    static func chosen(
        _ permission: Permission,
        _ operation: @escaping (Endpoints) -> (HTTPRequest, PersonCall) async throws -> HTTPResponse
    ) -> GuardedOperation {
        GuardedOperation(access: .chosen(permission)) { endpoints, request in
            let principal = try await endpoints.authenticate(request)
            try endpoints.demand(permission, of: principal)
            return try await operation(endpoints)(request, PersonCall(principal: principal, permission: permission))
        }
    }

    /// An operation on the team that the path names.
    static func team(
        _ permission: Permission,
        _ operation: @escaping (Endpoints) -> (HTTPRequest, TeamCall) async throws -> HTTPResponse
    ) -> GuardedOperation {
        GuardedOperation(access: .team(permission)) { endpoints, request in
            try await operation(endpoints)(request, endpoints.enterTeam(request, permission))
        }
    }

    /// An operation on the project that the path names.
    static func project(
        _ permission: Permission,
        _ operation: @escaping (Endpoints) -> (HTTPRequest, ProjectCall) async throws -> HTTPResponse
    ) -> GuardedOperation {
        GuardedOperation(access: .project(permission)) { endpoints, request in
            try await operation(endpoints)(request, endpoints.enterProject(request, permission))
        }
    }

    /// An operation on the job that the path names.
    static func job(
        _ permission: Permission,
        _ operation: @escaping (Endpoints) -> (HTTPRequest, JobCall) async throws -> HTTPResponse
    ) -> GuardedOperation {
        GuardedOperation(access: .job(permission)) { endpoints, request in
            let principal = try await endpoints.authenticate(request)
            return try await operation(endpoints)(request, endpoints.enterJob(request, principal, permission))
        }
    }

    /// A WebSocket on the job that the path names, which may be opened with a ticket; the operation spends it.
    static func stream(
        _ permission: Permission,
        _ operation: @escaping (Endpoints) -> (HTTPRequest, JobCall, StreamEntry) async throws -> HTTPResponse
    ) -> GuardedOperation {
        GuardedOperation(access: .job(permission)) { endpoints, request in
            let entry = try await endpoints.authenticateStream(request)
            let call = try await endpoints.enterJob(request, entry.principal, permission)
            return try await operation(endpoints)(request, call, entry)
        }
    }
}
