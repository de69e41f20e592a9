import Auth
import Bytes
import HTTP
import Platform
import Transport

/// A person's way through a browser and back: a listener on this machine that waits for the one answer it began for.
struct BrowserReturn {
    /// What the browser brought, with what redeems it.
    struct Code {
        let code: String
        let verifier: String
        let redirect: String

        /// The members of the request that redeems it.
        var members: [(String, JSONValue)] {
            [("code", .string(code)), ("code_verifier", .string(verifier)), ("redirect_uri", .string(redirect))]
        }
    }

    /// As long as the server waits.
    private static let patience = Duration.seconds(600)

    let loop: EventLoop
    let terminal: Terminal

    /// Has `begin` ask the server for the link, shows it, and waits for the browser to come back.
    func run(_ begin: ([(String, JSONValue)]) async throws -> JSONValue) async throws -> Code {
        let (verifier, state) = (PKCE.makeVerifier(), PKCE.makeVerifier())
        let answer = LoopbackAnswer(state: state)
        let server = HTTPServer(
            loop: loop,
            listener: try ListeningSocket.bind(
                .ipv4([127, 0, 0, 1], port: 0),
                on: loop,
                reusePort: false,
                backlog: 8
            ),
            tls: nil,
            connectionCounter: ConnectionCounter(limits: ServerLimits())
        ) { answer.take($0) }
        loop.spawnLocal { await server.run() }
        let redirect = "http://127.0.0.1:\(server.address.port)/"
        do {
            let begun = try await begin([
                ("code_challenge", .string(PKCE.challenge(of: verifier))),
                ("code_challenge_method", .string(PKCE.method)), ("redirect_uri", .string(redirect)),
                ("state", .string(state)),
            ])
            guard let link = begun["authorization_url"]?.string else {
                throw CommandFailure("the server does not answer as an errand server", exitCode: ExitCode.unavailable)
            }
            terminal.note("open this in a browser on this machine:")
            terminal.print(VisibleText.line(link))
            if answer.members == nil { _ = await answer.came.wait(timeout: Self.patience, on: loop) }
        } catch {
            await server.drain(deadline: .zero)
            throw error
        }
        // The browser gets its page.
        await server.drain(deadline: .seconds(1))
        guard let members = answer.members else {
            throw CommandFailure("nobody came back from the browser in time", exitCode: ExitCode.refused)
        }
        guard let code = members["code"] else {
            let reason = members["error_description"] ?? members["error"] ?? "the browser came back without a code"
            throw CommandFailure(VisibleText.line(reason), exitCode: ExitCode.refused)
        }
        return Code(code: code, verifier: verifier, redirect: redirect)
    }
}

/// The one answer that a listener waits for.
private final class LoopbackAnswer {
    let came = LoopCondition()
    private(set) var members: [String: String]?
    private let state: String

    init(state: String) {
        self.state = state
    }

    /// Takes the answer that carries our state, once; whatever else this machine's programs ask for is not there.
    func take(_ request: HTTPRequest) -> HTTPResponse {
        guard request.method == .get, request.path == "/", request.queryValue("state") == state, members == nil else {
            return Self.page(404, "There is nothing here.")
        }
        let found = Dictionary(request.query.map { ($0.0, $0.1) }) { first, _ in first }
        members = found
        came.signalAll()
        return Self.page(
            200,
            found["code"] == nil ? "Go back to the terminal, which says why." : "Go back to the terminal."
        )
    }

    private static func page(_ status: Int, _ text: String) -> HTTPResponse {
        var response = HTTPResponse(status: status, body: .bytes([UInt8]("\(text)\n".utf8)))
        response.headers.set(name: "content-type", value: "text/plain; charset=utf-8")
        response.headers.set(name: "cache-control", value: "no-store")
        return response
    }
}
