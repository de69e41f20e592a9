import Auth
import Bytes
import Core
import HTTP

/// Every problem that an operation answers with: status, code and text side by side.
extension Problem {
    static let unauthenticated = Problem(
        status: 401,
        code: "unauthenticated",
        title: "Sign in first",
        detail: "Send a valid access token as `Authorization: Bearer TOKEN`; get one from POST /v1/auth/login.",
        headers: [("www-authenticate", "Bearer")]
    )
    static let tokenExpired = Problem(
        status: 401,
        code: "token_expired",
        title: "The access token has expired",
        detail: "Get a new one from POST /v1/auth/refresh.",
        headers: [("www-authenticate", "Bearer error=\"invalid_token\"")]
    )
    static let wrongCredentials = Problem(
        status: 401,
        code: "wrong_credentials",
        title: "The address or the password is wrong"
    )
    static let refreshRefused = Problem(
        status: 401,
        code: "refresh_refused",
        title: "The refresh token is not valid",
        detail: "Sign in again with POST /v1/auth/login."
    )
    static let ticketRefused = Problem(
        status: 401,
        code: "ticket_refused",
        title: "The stream ticket is not valid",
        detail: "A ticket works once and for 30 seconds; get a new one from POST /v1/stream-tickets."
    )
    static let keyRefused = Problem(
        status: 401,
        code: "key_refused",
        title: "The API key is not valid",
        detail: "It is mistyped, expired or revoked, or whoever made it has left the team.",
        headers: [("www-authenticate", "Bearer error=\"invalid_token\"")]
    )
    static let personRequired = Problem(
        status: 403,
        code: "person_required",
        title: "An API key cannot do this",
        detail: "Sign in and use the access token of a person."
    )
    static func scopeMissing(_ scope: KeyScope) -> Problem {
        Problem(
            status: 403,
            code: "scope_missing",
            title: "The API key's scopes do not allow this",
            detail: "This needs the scope \(scope.rawValue)."
        )
    }
    static let keyLimited = Problem(
        status: 403,
        code: "key_limited",
        title: "The API key is limited to some projects",
        detail: "Making a project needs a key for the whole team."
    )
    static let keyReplaced = Problem(
        status: 409,
        code: "key_replaced",
        title: "The API key cannot be rotated any more",
        detail: "It was replaced or has expired; rotate the key that replaced it, or make a new one."
    )
    static let keyOverlapping = Problem(
        status: 409,
        code: "key_overlapping",
        title: "The key that this one replaced still works",
        detail: "Revoke that one, or wait for its end; then rotate this one."
    )
    static let tooManyOwnKeys = Problem(
        status: 409,
        code: "too_many_own_api_keys",
        title: "You have as many API keys as you may",
        detail: "At most \(APIKeyLimits.perPerson) can stand in one team at a time; revoke some that are not used."
    )
    static func tooMany(_ things: String, _ words: String, _ limit: Int) -> Problem {
        Problem(
            status: 409,
            code: "too_many_\(things)",
            title: "The team has as many \(words) as it may",
            detail: "At most \(limit) can stand at a time; end some that are not used."
        )
    }
    static let reauthenticationRequired = Problem(
        status: 403,
        code: "reauthentication_required",
        title: "Prove again who you are",
        detail:
            "Send `password` or `otp` to POST /v1/auth/reauthenticate, use a passkey, or sign in anew by an identity provider with "
            + "`fresh`; then try again within ten minutes."
    )
    static let wrongPassword = Problem(status: 403, code: "wrong_password", title: "The password is wrong")
    static func passwordRefused(_ rejection: PasswordRejection, _ member: String) -> Problem {
        Problem(
            status: 422,
            code: "password_refused",
            title: "Choose another password",
            detail: rejection.description,
            pointers: [(pointer: "/\(member)", detail: rejection.description)]
        )
    }
    static let passwordUnchecked = overloaded("The password cannot be checked against the list of leaked ones.")
    static let resetRefused = Problem(
        status: 401,
        code: "reset_refused",
        title: "The reset link is not valid",
        detail: "A link works once and for 15 minutes; ask an administrator for a new one."
    )
    static let invalidScope = Problem(
        status: 400,
        code: "invalid_scope",
        title: "The scope is not one of this sign-in",
        detail: "Leave `scope` out, or send `all`."
    )
    static func forbidden(_ detail: String) -> Problem {
        Problem(status: 403, code: "forbidden", title: "Your role does not allow this", detail: detail)
    }
    static let teamDeleting = Problem(
        status: 409,
        code: "team_deleting",
        title: "The team is being deleted",
        detail: "Nothing in it can be changed; an owner can take the deletion back with POST /v1/teams/{id}/restore."
    )
    static func missing(_ noun: String) -> Problem {
        Problem(status: 404, code: "\(noun)_not_found", title: "There is no such \(noun)")
    }
    static func attemptMissing(of job: Job) -> Problem {
        var problem = missing("attempt")
        problem.detail = "The job has had \(job.attempt == 1 ? "1 attempt" : "\(job.attempt) attempts")."
        return problem
    }
    static let notJSON = Problem(
        status: 415,
        code: "unsupported_media_type",
        title: "The request body must be JSON",
        detail: "Send `content-type: application/json`."
    )
    static func notTar(_ expected: String) -> Problem {
        Problem(
            status: 415,
            code: "unsupported_media_type",
            title: "The request body must be a tar archive",
            detail: "Send `content-type: \(expected)`."
        )
    }
    static func unreadableJSON(_ error: JSONError) -> Problem {
        switch error.reason {
        case .tooDeep, .tooManyMembers, .tooManyValues:
            Problem(
                status: 400,
                code: "json_too_complex",
                title: "The request body holds too many or too deeply nested values",
                detail: error.description
            )
        default:
            Problem(
                status: 400,
                code: "malformed_json",
                title: "The request body is not valid JSON",
                detail: error.description
            )
        }
    }
    static func malformedParameter(_ name: String, _ detail: String) -> Problem {
        Problem(
            status: 400,
            code: "malformed_parameter",
            title: "A query parameter or header is not valid",
            detail: "\(name): \(detail)"
        )
    }
    static func unknownFields(_ faults: [(pointer: String, detail: String)]) -> Problem {
        Problem(
            status: 400,
            code: "unknown_fields",
            title: "The request has fields that this operation does not take",
            pointers: faults
        )
    }
    static func invalidFields(_ faults: [(pointer: String, detail: String)]) -> Problem {
        Problem(status: 422, code: "invalid_fields", title: "Some fields are not valid", pointers: faults)
    }
    static func rateLimited(_ policy: String, seconds: Int) -> Problem {
        var problem = Problem(
            status: 429,
            code: "rate_limited",
            title: "Too many requests",
            detail: "Try again after the time in Retry-After.",
            retryAfter: max(1, seconds)
        )
        problem.type = ProblemType.quotaExceeded
        problem.violatedPolicies = [policy]
        return problem
    }
    static func overloaded(_ what: String) -> Problem {
        var problem = Problem(status: 503, code: "overloaded", title: "The server is busy", detail: what, retryAfter: 1)
        problem.type = ProblemType.temporaryReducedCapacity
        return problem
    }
    static let storeUnavailable = Problem(
        status: 503,
        code: "store_unavailable",
        title: "The database cannot be reached",
        detail: "Whether this was done is not known: look, or repeat it with the same Idempotency-Key.",
        retryAfter: 2
    )
    static let modelKeyMissing = Problem(
        status: 409,
        code: "model_key_missing",
        title: "There is no model key for this job",
        detail:
            "Set your own with PUT /v1/me/model-key (`errand account model-key set`), or have an admin of the team set "
            + "the team's with PUT /v1/teams/{id}/model-key (`errand team model-key set`)."
    )
    static func modelKeyRefused(_ status: Int) -> Problem {
        Problem(
            status: 422,
            code: "model_key_refused",
            title: "The model provider refuses this key",
            detail:
                "It answered \(status), and nothing was kept. Check the key and where it belongs; verify=false keeps it "
                + "without asking.",
            pointers: [(pointer: "/key", detail: "is refused by the provider")]
        )
    }
    static func modelUnreachable(_ detail: String) -> Problem {
        Problem(
            status: 502,
            code: "model_unreachable",
            title: "The model provider cannot be asked about this key",
            detail: "\(detail). Nothing was kept; verify=false keeps the key without asking."
        )
    }
    static let secretsUnavailable = Problem(
        status: 503,
        code: "secrets_unavailable",
        title: "Secrets can be neither kept nor read at this moment",
        detail: "Nothing was changed. The administrator finds the reason with `errand admin key master-list`.",
        retryAfter: 5
    )
    static let keyReused = Problem(
        status: 409,
        code: "idempotency_key_reused",
        title: "This Idempotency-Key came with another request before",
        detail: "Use a new key for a new request."
    )
    static func taken(_ field: String) -> Problem {
        Problem(
            status: 409,
            code: "\(field)_taken",
            title: "This \(field) is taken",
            pointers: [(pointer: "/\(field)", detail: "is in use already")]
        )
    }
    static let projectBusy = Problem(
        status: 409,
        code: "project_busy",
        title: "The project has jobs that are not finished",
        detail: "Wait for them or cancel them first."
    )
    static let workspaceBusy = Problem(
        status: 409,
        code: "workspace_busy",
        title: "A job is using the workspace",
        detail: "Wait for it or cancel it, then try again.",
        retryAfter: 5
    )
    static let workerUnavailable = Problem(
        status: 503,
        code: "worker_unavailable",
        title: "The worker that holds this workspace is not connected",
        detail: "Start it with `errand work`, then try again.",
        retryAfter: 5
    )
    static func workspaceRefused(_ detail: String) -> Problem {
        Problem(status: 422, code: "workspace_refused", title: "The archive was refused", detail: detail)
    }
    static func workspaceEntryFailed(_ detail: String) -> Problem {
        Problem(
            status: 422,
            code: "workspace_entry_failed",
            title: "An entry of the archive cannot be unpacked",
            detail: detail
        )
    }
    static let rangeNotSatisfiable = Problem(
        status: 416,
        code: "range_not_satisfiable",
        title: "The range lies outside the output"
    )
    static let workerRefused = Problem(
        status: 401,
        code: "worker_refused",
        title: "The worker's credential or enrolment token is not valid",
        detail: "Make a new token with `errand admin worker create NAME`."
    )
    static let linkVersionRefused = Problem(
        status: 400,
        code: "link_version_unknown",
        title: "This version of the worker link is not spoken here",
        detail: "Run the same version of errand on the worker and on the server."
    )

    /// What a failing store means to the client.
    init(_ error: StoreError) {
        switch error {
        case .conflict(let field): self = .taken(field)
        case .notFound: self = .missing("object")
        case .quotaExceeded(let name): self = .quotaExceeded(name)
        case .unavailable: self = .storeUnavailable
        case .failed: self = .internalError
        }
    }
}
