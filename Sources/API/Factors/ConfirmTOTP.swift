import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Makes the application a second factor, by a code of it: `POST /v1/me/totp/confirm`.
    ///
    /// The answer has the recovery codes, which are never shown again; the person's other sign-ins end.
    func confirmTOTP(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        let code = try await request.jsonObject { $0.string("code", maximum: FactorBounds.typed) } ?? ""
        try await demandFresh(person)
        let now = services.time.now
        let attempt = try await services.factors.attemptCode(of: person.user, now: now)
        if case .heldUp(let wait) = attempt { throw ProblemError(.codesHeldUp(Int(wait.components.seconds) + 1)) }
        guard case .open(let factor, let failures) = attempt, !factor.isConfirmed,
            now < factor.begunAt.adding(TOTPEnrolment.lifetime)
        else { throw ProblemError(.factorNotBegun) }
        guard let step = try await step(of: code, factor, at: now) else {
            let actor = Principal.person(person).auditActor
            try await refuseFactor("totp", of: person.user, by: actor, failures: failures, request)
            throw ProblemError(.wrongCode)
        }
        let codes = RecoveryCode.makeAll()
        let ended = try await services.factors.confirmTOTP(
            person.user,
            step: step,
            begunAt: factor.begunAt,
            recoveryHashes: codes.map { $0.hash(for: person.user) },
            keeping: person.signIn,
            notice: request.factorNotice(.factorEnabled, at: now, signIn: person.signIn),
            audit: factorDraft(person, "factor.enabled", method: "totp", at: now, request)
        )
        guard let ended else { throw ProblemError(.factorNotBegun) }
        for signIn in ended { announce(.signIn(signIn)) }
        return .json(
            200,
            document { writer in
                writer.beginObject()
                RecoveryCodesView.write(codes, to: &writer)
                writer.endObject()
            }
        )
    }

    /// Records a change of what a person can prove.
    func factorDraft(
        _ person: Person,
        _ action: String,
        method: String,
        target: String? = nil,
        at now: Timestamp,
        _ request: HTTPRequest
    ) -> AuditDraft {
        request.auditDraft(
            .person(person),
            action,
            team: nil,
            target: target ?? person.user.description,
            at: now,
            details: [AuditDetail("method", method)]
        )
    }
}

/// The one answer that shows recovery codes.
enum RecoveryCodesView {
    static func write(_ codes: [RecoveryCode], to writer: inout JSONWriter) {
        writer.key("recovery_codes")
        writer.beginArray()
        for code in codes { writer.string(code.text) }
        writer.endArray()
    }
}
