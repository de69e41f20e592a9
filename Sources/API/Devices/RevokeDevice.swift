import Core
import HTTP

extension Endpoints {
    /// Signs one of the person's devices out: `DELETE /v1/me/devices/{id}`.
    func revokeDevice(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        let device = try request.pathID("id", SignInNoun.self, noun: "device")
        let isRevoked = try await services.accounts.revoke(
            device,
            of: person.user,
            now: services.time.now,
            audit: request.revocationDraft(person, device.description, at: services.time.now)
        )
        guard isRevoked else { throw ProblemError(.missing("device")) }
        announceApp(device)
        return .noContent
    }
}
