import Auth
import Bytes
import Core
import HTTP
import Store
import Testing

/// Somebody with an authenticator application in the test's hand.
final class FactorPerson {
    let world: APIWorld
    let person: APIPerson
    /// The device that set the application up.
    private(set) var token: String
    private(set) var secret: [UInt8] = []
    private(set) var recoveryCodes: [String] = []
    private var requests = 0

    /// Signs a new person in, and sets an application up unless told not to.
    init(in world: APIWorld, enrolled: Bool = true) async throws {
        self.world = world
        person = try await world.person()
        token = try await world.device(of: person).token
        if enrolled { try await enrol() }
    }

    /// Sets an application up.
    func enrol() async throws {
        let begun = try await send(.post, "/v1/me/totp", token: token)
        try #require(begun.status == 201, "\(begun.text)")
        secret = try #require(begun.json["secret"]?.string.flatMap { Base32.decode($0) })
        let confirmed = try await send(.post, "/v1/me/totp/confirm", ["code": code()], token: token)
        try #require(confirmed.status == 200, "\(confirmed.text)")
        recoveryCodes = (confirmed.json["recovery_codes"]?.array ?? []).compactMap(\.string)
    }

    /// Goes on with another sign-in, which is fresh.
    func signInAnew() async throws {
        token = try await world.device(of: person).token
    }

    /// The code of a step, counted from the present one.
    func code(_ offset: Int64 = 0) -> String {
        TOTP.standard.code(secret, step: TOTP.step(at: world.time.now) + offset)
    }

    /// A code that is none of those that would be taken now.
    func wrongCode() -> String {
        let right = Set((-3...3).map { code($0) })
        return (0..<10).lazy.map { String(repeating: "\($0)", count: 6) }.first { !right.contains($0) } ?? ""
    }

    /// The password step, and what it says.
    func login(
        _ more: [String: String] = [:],
        password: String = APIWorld.password,
        replica: Int = 0
    ) async throws
        -> APIAnswer
    {
        let fields = ["email": person.user.email, "password": password].merging(more) { $1 }
        return try await send(.post, "/v1/auth/login", fields, replica: replica)
    }

    /// The interim token that the password gives.
    func interim() async throws -> String {
        let answer = try await login()
        try #require(answer.code == "second_factor_required", "\(answer.text)")
        return try #require(answer.json["interim_token"]?.string)
    }

    func second(_ interim: String, _ fields: [String: String], replica: Int = 0) async throws -> APIAnswer {
        let body = ["interim_token": interim].merging(fields) { $1 }
        return try await send(.post, "/v1/auth/second-factor", body, replica: replica)
    }

    /// Sends a request from an address of its own, so that limits by address, which have tests of theirs, do not count.
    func send(
        _ method: HTTPMethod,
        _ target: String,
        _ fields: [String: String]? = nil,
        token: String? = nil,
        replica: Int = 0
    ) async throws -> APIAnswer {
        requests += 1
        let body = fields.map { fields in
            JSONValue.object(JSONObject(fields.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
        }
        return try await world.send(
            method,
            target,
            body,
            token: token,
            address: "198.51.\(requests / 250 + Int(person.user.id.low & 0x7f)).\(requests % 250 + 1)",
            replica: replica
        )
    }

    /// What the audit log has of factors and sign-ins, oldest first.
    func acts() async throws -> [FactorAct] {
        try await world.store.audit.stored(.installation, after: .start, limit: 10_000).compactMap { stored in
            guard let entry = AuditEntry(canonical: stored.canonical) else { return nil }
            let isOurs = ["factor.", "recovery.", "sign_in."].contains { entry.action.hasPrefix($0) }
            guard isOurs else { return nil }
            let details = stored.personal.flatMap { AuditPersonalPart($0) }?.details ?? []
            return FactorAct(action: entry.action, details: details)
        }
    }
}

/// One entry of the audit log, as far as these tests look.
struct FactorAct {
    let action: String
    let details: [AuditDetail]
}
