import Bytes
import HTTP
import Platform
import Transport

/// Signing in with a code that is confirmed in a browser elsewhere (RFC 8628).
struct CodeLogin {
    let session: ClientSession
    /// What the sign-in is called, which the person sees before they confirm.
    let device: String
    let terminal: Terminal

    /// The client that the command line is.
    private static let client = "errand"
    private static let grant = "urn:ietf:params:oauth:grant-type:device_code"
    /// What the interval grows by when the server asks for it.
    private static let slowDown = Duration.seconds(5)
    /// A server that is away for a moment does not end the wait.
    private static let tries = 5

    /// Shows the code and waits; answers with the account and its tokens.
    func run() async throws -> (email: String, tokens: TokenPair) {
        let begun = try await begin()
        terminal.note("open  \(begun.page)")
        terminal.note("code  \(begun.code)")
        terminal.note("waiting for the code to be confirmed there; it ends in \(begun.seconds / 60) minutes")
        let tokens = try await wait(begun)
        let account = try await session.account(tokens.access)
        return (account, tokens)
    }

    /// What the server gave to wait with.
    private struct Begun {
        let secret: String
        let code: String
        let page: String
        let seconds: Int
        let interval: Duration
    }

    private func begin() async throws -> Begun {
        let answer = try await send("/oauth/device_authorization", ["client_id": Self.client, "device_name": device])
        guard answer.status == 200 else { throw failure(answer) }
        guard let json = try? JSONReader.parse(answer.body), let secret = json["device_code"]?.string,
            let code = json["user_code"]?.string, let page = json["verification_uri"]?.string,
            let seconds = json["expires_in"]?.integer, (1...86_400).contains(seconds),
            // RFC 8628: five seconds where the server says nothing.
            let interval = json["interval"].map(\.integer) ?? 5, (1...600).contains(interval)
        else { throw strange }
        return Begun(
            secret: secret,
            code: VisibleText.line(code, limit: 64),
            page: VisibleText.line(page),
            seconds: Int(seconds),
            interval: .seconds(interval)
        )
    }

    private func wait(_ begun: Begun) async throws -> TokenPair {
        let end = session.loop.now.advanced(by: .seconds(begun.seconds))
        var interval = begun.interval
        var failures = 0
        while session.loop.now < end {
            await session.loop.sleep(interval)
            let answer: ClientResponse
            do {
                answer = try await session.form(
                    "/oauth/token",
                    ["grant_type": Self.grant, "device_code": begun.secret, "client_id": Self.client]
                )
            } catch let error as HTTPClientError {
                failures += 1
                guard failures < Self.tries else { throw CommandFailure(error, server: session.server.text) }
                continue
            }
            failures = 0
            if answer.status == 200 {
                guard let json = try? JSONReader.parse(answer.body),
                    let tokens = TokenPair(json, at: WallClock.now())
                else { throw strange }
                return tokens
            }
            switch error(of: answer) {
            case "authorization_pending": continue
            case "slow_down": interval += Self.slowDown
            case "access_denied": throw CommandFailure("the sign-in was refused there", exitCode: ExitCode.refused)
            case "expired_token": throw ended
            default:
                let problem = ServerProblem(status: answer.status, body: answer.body, headers: answer.headers)
                guard problem.isPassing else { throw failure(answer) }
                interval = max(interval, .seconds(problem.retryAfter ?? 0))
            }
        }
        throw ended
    }

    private func send(_ target: String, _ fields: KeyValuePairs<String, String>) async throws -> ClientResponse {
        do {
            return try await session.form(target, fields)
        } catch let error as HTTPClientError {
            throw CommandFailure(error, server: session.server.text)
        }
    }

    private func error(of answer: ClientResponse) -> String? {
        (try? JSONReader.parse(answer.body))?["error"]?.string
    }

    private func failure(_ answer: ClientResponse) -> CommandFailure {
        guard let code = error(of: answer) else {
            return ServerProblem(status: answer.status, body: answer.body, headers: answer.headers).failure
        }
        return CommandFailure(
            "\(session.server.text) refuses: \(VisibleText.line(code, limit: 100))",
            exitCode: ExitCode.refused
        )
    }

    private var ended: CommandFailure {
        CommandFailure("nobody confirmed the code in time: run `errand login` again", exitCode: ExitCode.refused)
    }

    private var strange: CommandFailure {
        CommandFailure("\(session.server.text) does not answer as an errand server", exitCode: ExitCode.unavailable)
    }
}

extension ClientSession {
    /// The address of the account that a token is for.
    func account(_ token: String) async throws -> String {
        do {
            let answer = try await send(.get, "/v1/me", token: token)
            guard let email = (try? JSONReader.parse(answer.body))?["email"]?.string else {
                throw CommandFailure(
                    "\(server.text) does not answer as an errand server",
                    exitCode: ExitCode.unavailable
                )
            }
            return email
        } catch let error as HTTPClientError {
            throw CommandFailure(error, server: server.text)
        }
    }
}
