import Bytes
import Core
import HTTP
import Platform
import Transport

/// The signed-in client of one server: it renews the token when it must, and tries again where that is safe.
final class ClientSession {
    let loop: EventLoop
    let output: OutputQueue
    let server: ServerAddress
    private(set) var credentials: Credentials?

    private let client: HTTPClient
    private let clock: any TimeSource
    private let file: CredentialFile?
    private let fixedToken: String?
    /// Set once the server has answered: from then on a failure is taken for a passing one.
    private var wasReached = false

    /// Tries go on for this long, which is the restart of a server.
    private static let patience = Duration.seconds(30)
    /// A token is renewed when it is this close to its end, as clocks differ.
    private static let tokenReserve = Duration.seconds(30)

    /// By this a person knows the command line among the devices.
    private static let userAgent = "errand/\(ErrandVersion.current)"

    /// Whether a request may be sent twice.
    enum Repeat {
        /// It changes nothing, or the server knows the second one for the first.
        case safe
        case never
    }

    init(
        loop: EventLoop,
        output: OutputQueue,
        server: ServerAddress,
        caFile: String?,
        credentials: Credentials?,
        file: CredentialFile?,
        fixedToken: String?,
        clock: any TimeSource = SystemTime()
    ) throws(CommandFailure) {
        self.loop = loop
        self.clock = clock
        self.output = output
        self.server = server
        self.credentials = credentials
        self.file = file
        self.fixedToken = fixedToken
        do throws(TLSError) {
            client = HTTPClient(loop: loop, tls: server.url.isSecure ? try TLSClientContext(caFile: caFile) : nil)
        } catch {
            throw CommandFailure("\(error)", exitCode: ExitCode.usage)
        }
    }

    /// Asks for a JSON document.
    func get(_ target: String) async throws -> JSONValue {
        try await json(call(.get, target, repeats: .safe))
    }

    /// Sends a JSON document and reads the answer.
    func post(
        _ target: String,
        _ body: JSONValue? = nil,
        headers: [(String, String)] = [],
        repeats: Repeat = .never
    ) async throws -> JSONValue {
        try await json(call(.post, target, body: body, headers: headers, repeats: repeats))
    }

    /// Changes something, once, and reads the answer.
    func change(_ method: HTTPMethod, _ target: String, _ body: JSONValue? = nil) async throws -> JSONValue {
        try await json(call(method, target, body: body, repeats: .never))
    }

    /// Sends a request and answers with the successful answer; everything else is thrown.
    func call(
        _ method: HTTPMethod,
        _ target: String,
        body: JSONValue? = nil,
        headers: [(String, String)] = [],
        repeats: Repeat
    ) async throws -> ClientResponse {
        var fields = HTTPHeaders(headers)
        if body != nil { fields.set(name: "content-type", value: "application/json") }
        let bytes = body?.encoded() ?? []
        let url = try server.place(target)
        return try await persist(repeats) { [self] token in
            try authorise(&fields, token)
            let answer = try await client.send(method: method, url: url, headers: fields, body: bytes)
            guard (200...299).contains(answer.status) else {
                throw ServerProblem(status: answer.status, body: answer.body, headers: answer.headers)
            }
            return answer
        }
    }

    /// Sends or fetches a body piece by piece; such a request is not repeated.
    func stream(
        _ method: HTTPMethod,
        _ target: String,
        headers: [(String, String)] = [],
        body: ClientBody = .empty
    ) async throws -> ClientStreamingResponse {
        var fields = HTTPHeaders(headers)
        let url = try server.place(target)
        let token = try await token()
        try authorise(&fields, token)
        let answer: ClientStreamingResponse
        do throws(HTTPClientError) {
            answer = try await client.stream(method: method, url: url, headers: fields, body: body)
        } catch {
            if case .uploadFailed(let cause) = error { throw cause }
            throw CommandFailure(error, server: server.text)
        }
        guard (200...299).contains(answer.status) else {
            let problem = (try? await answer.collect(limit: 64 << 10)) ?? []
            throw ServerProblem(status: answer.status, body: problem, headers: answer.headers).failure
        }
        return answer
    }

    /// Opens a WebSocket, with a fresh token when the present one is refused; other failures are the caller's to judge.
    ///
    /// The token that it was opened with comes with it.
    func webSocket(
        _ target: String,
        limits: WebSocketLimits
    ) async throws -> (channel: any WebSocketChannel, token: String) {
        let url = try server.place(target)
        var mayRenew = fixedToken == nil
        while true {
            var fields = HTTPHeaders()
            let token = try await token()
            try authorise(&fields, token)
            do throws(HTTPClientError) {
                let channel = try await client.webSocket(url: url, headers: fields, limits: limits).channel
                wasReached = true
                return (channel, token)
            } catch {
                guard case .refusedUpgrade(let status, _, let body) = error else { throw error }
                guard status == 401, mayRenew else { throw ServerProblem(status: status, body: body) }
                mayRenew = false
                try await renew(token)
            }
        }
    }

    private func json(_ answer: ClientResponse) throws(CommandFailure) -> JSONValue {
        // A page of 200 commands with all the arguments that one may have.
        let limits = JSONLimits(
            maximumDepth: 64,
            maximumBytes: 16 << 20,
            maximumMembers: 100_000,
            maximumValues: 500_000
        )
        do throws(JSONError) {
            return try JSONReader.parse(answer.body, limits: limits)
        } catch {
            throw CommandFailure(
                "\(server.text) does not answer as an errand server: \(error)",
                exitCode: ExitCode.unavailable
            )
        }
    }

    private func authorise(_ fields: inout HTTPHeaders, _ token: String) throws(CommandFailure) {
        fields.set(name: "user-agent", value: Self.userAgent)
        guard fields.set(name: "authorization", value: "Bearer \(token)") else {
            throw CommandFailure("the token holds characters that no token has", exitCode: ExitCode.refused)
        }
    }
}

extension ClientSession {
    /// Runs a request with a good token, again after what passes.
    private func persist<Answer>(_ repeats: Repeat, _ request: (String) async throws -> Answer) async throws -> Answer {
        let end = loop.now.advanced(by: Self.patience)
        var backoff = Backoff()
        var mayRenew = fixedToken == nil
        var isTold = false
        while true {
            let token = try await token()
            var pause: Duration?
            let failure: CommandFailure
            do {
                let answer = try await request(token)
                wasReached = true
                return answer
            } catch let problem as ServerProblem {
                wasReached = true
                if problem.status == 401, mayRenew {
                    mayRenew = false
                    try await renew(token)
                    continue
                }
                failure = problem.failure
                if problem.isPassing { pause = problem.retryAfter.map { .seconds($0) } ?? backoff.next() }
            } catch let error as HTTPClientError {
                failure = CommandFailure(error, server: server.text)
                if wasReached { pause = backoff.next() }
            }
            guard case .safe = repeats, let pause, loop.now.advanced(by: pause) < end else { throw failure }
            if !isTold { output.note("\(failure); trying again") }
            isTold = true
            await loop.sleep(pause)
        }
    }

    /// A token that is good for a little while yet.
    func token() async throws -> String {
        if let fixedToken { return fixedToken }
        guard let credentials else { throw Self.signedOut(server) }
        if clock.now.adding(Self.tokenReserve) < credentials.expiresAt { return credentials.accessToken }
        try await renew(credentials.accessToken)
        return self.credentials?.accessToken ?? credentials.accessToken
    }

    /// Replaces a token that is no longer good; of several processes one does it for all.
    private func renew(_ stale: String) async throws {
        guard let file else { throw Self.signedOut(server) }
        try await file.locked(on: loop) { [self] in
            guard var current = try await file.load(), current.url == server.text else { throw Self.signedOut(server) }
            if current.accessToken == stale {
                current.renew(with: try await refresh(current.refreshToken))
                try await file.save(current)
            }
            credentials = current
        }
    }

    private func refresh(_ token: String) async throws -> TokenPair {
        let body = JSONValue.object(JSONObject([("refresh_token", .string(token))]))
        var backoff = Backoff()
        // The server gives the same successor for 30 seconds, so a lost answer is asked for again.
        var tries = 0
        while true {
            tries += 1
            do {
                return try await signIn("/v1/auth/refresh", body)
            } catch let problem as ServerProblem where problem.status == 401 {
                throw CommandFailure("the sign-in has ended: run `errand login`", exitCode: ExitCode.refused)
            } catch let problem as ServerProblem {
                guard problem.isPassing, tries < 5 else { throw problem.failure }
            } catch let error as HTTPClientError {
                guard wasReached, tries < 5 else { throw CommandFailure(error, server: server.text) }
            }
            await loop.sleep(backoff.next())
        }
    }

    /// Asks for tokens with what proves who asks.
    func signIn(_ target: String, _ body: JSONValue, deviceToken: String? = nil) async throws -> TokenPair {
        let answer = try await send(target, body, deviceToken: deviceToken)
        guard let tokens = TokenPair(try json(answer), at: clock.now) else {
            throw CommandFailure("\(server.text) does not answer as an errand server", exitCode: ExitCode.unavailable)
        }
        return tokens
    }

    /// Sends what needs no token, because it proves by itself that it may be done.
    func post(withoutToken target: String, _ body: JSONValue) async throws {
        do {
            _ = try await send(target, body)
        } catch let problem as ServerProblem {
            throw problem.failure
        } catch let error as HTTPClientError {
            throw CommandFailure(error, server: server.text)
        }
    }

    /// The same, with its answer.
    func ask(withoutToken target: String, _ body: JSONValue) async throws -> JSONValue {
        do {
            return try json(try await send(target, body))
        } catch let problem as ServerProblem {
            throw problem.failure
        } catch let error as HTTPClientError {
            throw CommandFailure(error, server: server.text)
        }
    }

    /// Sends a request by a token that is not kept yet.
    func send(_ method: HTTPMethod, _ target: String, token: String) async throws -> ClientResponse {
        var fields = HTTPHeaders()
        try authorise(&fields, token)
        let answer = try await client.send(method: method, url: try server.place(target), headers: fields, body: [])
        guard (200...299).contains(answer.status) else {
            throw ServerProblem(status: answer.status, body: answer.body, headers: answer.headers).failure
        }
        return answer
    }

    /// Sends a form of the OAuth protocol, which has its own way to say what is wrong: every answer is the caller's to read.
    func form(_ target: String, _ fields: KeyValuePairs<String, String>) async throws -> ClientResponse {
        let pairs = fields.map { "\($0.key)=\(PercentEncoding.encode($0.value))" }.joined(separator: "&")
        let answer = try await client.send(
            method: .post,
            url: try server.place(target),
            headers: HTTPHeaders([
                ("content-type", "application/x-www-form-urlencoded"), ("user-agent", Self.userAgent),
            ]),
            body: Array(pairs.utf8)
        )
        wasReached = true
        return answer
    }

    private func send(
        _ target: String,
        _ body: JSONValue,
        deviceToken: String? = nil
    ) async throws -> ClientResponse {
        var fields = HTTPHeaders([("content-type", "application/json"), ("user-agent", Self.userAgent)])
        if let deviceToken { fields.append(name: "errand-device", value: deviceToken) }
        let answer = try await client.send(
            method: .post,
            url: try server.place(target),
            headers: fields,
            body: body.encoded()
        )
        wasReached = true
        guard (200...299).contains(answer.status) else {
            throw ServerProblem(status: answer.status, body: answer.body, headers: answer.headers)
        }
        return answer
    }

    /// Changes what is remembered beside the tokens.
    func remember(_ project: RememberedProject?) async throws {
        guard let file, fixedToken == nil else { return }
        try await file.locked(on: loop) { [self] in
            guard var current = try await file.load(), current.url == server.text else { return }
            current.project = project
            try await file.save(current)
            credentials = current
        }
    }

    static func signedOut(_ server: ServerAddress) -> CommandFailure {
        CommandFailure(
            "you are not signed in to \(server.text): run `errand login --url \(server.text)`",
            exitCode: ExitCode.refused
        )
    }
}
