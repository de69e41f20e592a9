import Bytes
import Platform
import Transport

/// Signing in by an outside OpenID provider, in the person's browser.
struct ProviderLogin {
    let provider: String
    /// Whether the person must prove to the provider anew who they are.
    let isFresh: Bool
    /// What the sign-in is called.
    let device: String
    let terminal: Terminal

    /// Goes through the browser, and gives the account's address with the tokens; `secondStep` asks for the second factor
    /// of whoever has one.
    func run(
        on session: ClientSession,
        secondStep: (_ interimToken: String, _ methods: [String]) async throws -> TokenPair
    ) async throws -> (email: String, tokens: TokenPair) {
        let code = try await BrowserReturn(loop: session.loop, terminal: terminal).run { members in
            let form = JSONObject(members + (isFresh ? [("fresh", .bool(true))] : []))
            return try await session.ask(withoutToken: "/v1/auth/oidc/\(provider)/start", .object(form))
        }
        let form = JSONObject(code.members + [("device_name", .string(device))])
        let tokens: TokenPair
        do {
            tokens = try await session.signIn("/v1/auth/oidc/token", .object(form))
        } catch let problem as ServerProblem {
            guard let interim = problem.interimToken else { throw problem.failure }
            tokens = try await secondStep(interim, problem.methods)
        } catch let error as HTTPClientError {
            throw CommandFailure(error, server: session.server.text)
        }
        return (try await session.account(tokens.access), tokens)
    }
}
