import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Makes a key's successor; both work until the overlap ends: `POST /v1/teams/{id}/api-keys/{key}/rotate`.
    func rotateKey(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let person = try person(of: call)
        let old = try await key(of: request, call)
        let form = try await request.optionalJSONObject { RotationForm(&$0) }
        try await demandFresh(person)
        if old.serviceAccount != nil {
            try require(.serviceAccountManage, call)
        } else if old.issuedBy != person.user {
            // Whoever holds the secret acts as that person.
            let text = "Only the person whom this key acts for can rotate it; you can revoke it."
            throw Refusal(.forbidden(text), call.principal, .keyCreate, team: call.team.id, target: old.id.description)
        }
        let now = services.time.now
        let secret = APIKeyToken.make()
        var new = old
        new.id = APIKeyID(at: now)
        new.hint = secret.hint
        new.issuedBy = person.user
        new.createdAt = now
        new.expiresAt = form?.days.map { now.adding(APIKeyLimits.days($0)) } ?? old.renewedEnd(from: now)
        new.lastUsedAt = nil
        let overlapEnd = now.adding(form?.overlap ?? APIKeyLimits.standardOverlap)
        let verdict = try await services.apiKeys.rotateKey(
            old.id,
            into: new,
            hash: secret.hash,
            overlapEnd: overlapEnd,
            scope: person.scope,
            now: now,
            audit: request.auditDraft(
                call.principal,
                "api_key.rotated",
                team: call.team.id,
                target: old.id.description,
                at: now,
                details: [
                    AuditDetail("name", old.name), AuditDetail("replaced_by", new.id.description),
                    AuditDetail("overlap_until", overlapEnd.rfc3339),
                ]
            )
        )
        try demandDone(verdict)
        // Whoever rotates without an overlap wants the old one refused now, and its streams cut.
        if overlapEnd <= now { announce(.key(old.id)) }
        return KeyView.answer(new, secret: secret.token)
    }
}

/// The fields of a rotation, all of which may be left out.
private struct RotationForm {
    let overlap: Duration?
    let days: Int?

    init(_ fields: inout FieldReader) {
        let longest = Int(APIKeyLimits.longestOverlap.components.seconds)
        overlap = fields.integer("overlap_seconds", in: 0...longest).map { .seconds($0) }
        days = fields.integer("expires_in_days", in: 1...APIKeyLimits.longestDays)
    }
}

extension APIKey {
    /// The end of a successor that lives as long as this key was meant to.
    fileprivate func renewedEnd(from now: Timestamp) -> Timestamp? {
        expiresAt.map { now.adding(min($0 - createdAt, APIKeyLimits.longestLife)) }
    }
}
