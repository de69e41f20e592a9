import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Makes new recovery codes; the old ones are dead: `POST /v1/me/recovery-codes`.
    func replaceRecoveryCodes(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        try await demandFresh(person)
        let codes = RecoveryCode.makeAll()
        let isDone = try await services.factors.replaceRecoveryCodes(
            of: person.user,
            hashes: codes.map { $0.hash(for: person.user) },
            audit: factorDraft(
                person,
                "recovery.replaced",
                method: "recovery_code",
                at: services.time.now,
                request
            )
        )
        guard isDone else { throw ProblemError(.noFactor) }
        return .json(
            201,
            document { writer in
                writer.beginObject()
                RecoveryCodesView.write(codes, to: &writer)
                writer.endObject()
            }
        )
    }
}
