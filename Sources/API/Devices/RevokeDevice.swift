import Core
import HTTP

extension Endpoints {
    /// Signs one of the person's devices out: `DELETE /v1/me/devices/{id}`.
    func revokeDevice(_ request: HTTPRequest, _ principal: Principal) async throws -> HTTPResponse {
        let device = try request.pathID("id", SignInNoun.self, noun: "device")
        guard try await services.accounts.revoke(device, of: principal.user, now: services.time.now) else {
            throw ProblemError(.missing("device"))
        }
        announceRevocation(device)
        return .noContent
    }
}
