import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Exchanges a refresh token for a new pair: `POST /v1/auth/refresh`.
    func refresh(_ request: HTTPRequest) async throws -> HTTPResponse {
        let text = try await request.jsonObject { $0.string("refresh_token", maximum: 256) }
        guard let text, let presented = RefreshToken.parse(text) else { throw ProblemError(.refreshRefused) }
        let successor = RefreshToken.make()
        let outcome = try await services.accounts.refresh(
            presented: presented.hash,
            successorHash: successor.hash,
            sealedSuccessor: try presented.seal(successor: successor.token),
            now: services.time.now,
            window: RefreshToken.replayWindow
        )
        switch outcome {
        case .rotated(let signIn):
            return try tokenAnswer(for: signIn, refreshToken: successor.token)
        case .replayed(let signIn, let sealed):
            return try tokenAnswer(for: signIn, refreshToken: try presented.open(sealed: sealed))
        case .reused(let signIn):
            announceRevocation(signIn.id)
            throw ProblemError(.refreshRefused)
        case .refused:
            throw ProblemError(.refreshRefused)
        }
    }

    /// Ends the sign-in that the access token belongs to: `POST /v1/auth/logout`.
    func logout(_ request: HTTPRequest, _ principal: Principal) async throws -> HTTPResponse {
        try await services.accounts.revoke(principal.signIn, now: services.time.now)
        announceRevocation(principal.signIn)
        return .noContent
    }

    /// Tells every loop and replica that a sign-in ended, so that its streams are cut.
    func announceRevocation(_ signIn: SignInID) {
        signIns.forget()
        services.bus.publish(BusChannel.revoked, Array(signIn.description.utf8))
    }
}
