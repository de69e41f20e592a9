import CPostgres
import Core

/// What the server said against a statement.
struct ServerFailure {
    let stage: String
    let sqlState: String
    private let message: String
    private let constraint: String?

    /// Reads a failed result.
    init(_ result: OpaquePointer, stage: String) {
        func field(_ code: UnicodeScalar) -> String? {
            unsafe PQresultErrorField(result, Int32(code.value)).map { unsafe String(cString: $0) }
        }
        self.stage = stage
        // PG_DIAG_SQLSTATE, PG_DIAG_MESSAGE_PRIMARY and PG_DIAG_CONSTRAINT_NAME.
        sqlState = field("C") ?? "XX000"
        message = field("M") ?? ""
        constraint = field("n")
    }

    /// The unique constraints that a caller's value can meet, with the field to name.
    private static let takenFields = [
        "users_email_key": "email", "projects_name_key": "name", "workers_name_key": "name",
        "service_accounts_name_key": "name",
        "workers_enrolment_key": "token", "workers_credential_key": "credential", "refresh_tokens_pkey": "token",
        "refresh_tokens_generation_key": "token", "stream_tickets_pkey": "token",
        "invites_token_key": "token", "browser_sessions_pkey": "token", "device_grants_pkey": "token",
        "device_grants_user_code_key": "user_code", "authorization_codes_pkey": "token",
        "oidc_providers_name_key": "name", "oidc_providers_issuer_key": "issuer",
        "user_identities_name_key": "identity", "user_identities_user_key": "provider",
    ]

    /// The failure in the language of the ports.
    var storeError: StoreError {
        switch sqlState {
        case "23505":
            .conflict(field: constraint.flatMap { Self.takenFields[$0] } ?? "id")
        case "23503":
            constraint == "secrets_master_key_known" ? .conflict(field: "master_key") : .notFound
        case "23514" where constraint == "projects_open_team":
            .conflict(field: "team")
        // Our own: the constraint is the quota.
        case "EQ001":
            constraint.flatMap { QuotaName(rawValue: $0) }.map { .quotaExceeded($0) }
                ?? .failed(stage: "\(stage): \(message)", sqlState: sqlState)
        // Deadlock, serialisation, locks, time limits and a standby: another time it may go well.
        case "25006", "40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03":
            .unavailable("\(stage): \(message)")
        case let state where state.hasPrefix("08") || state.hasPrefix("53"):
            .unavailable("\(stage): \(message)")
        // Class 22 quotes the value that it refuses, which may be anybody's.
        case let state where state.hasPrefix("22"):
            .failed(stage: stage, sqlState: sqlState)
        default:
            .failed(stage: "\(stage): \(message)", sqlState: sqlState)
        }
    }
}
