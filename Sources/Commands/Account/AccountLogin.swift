import Bytes
import Operations
package import Platform
import Transport

/// `errand login`: signs in and keeps the sign-in for later commands.
package struct AccountLogin: Verb {
    package static let words = ["login"]
    package static let usage = "[--url URL] [--email EMAIL | --provider NAME] [options]"
    package static let summary =
        "Sign in to a server, or to the `errand up` of this machine; asks for what is not given."
    package static let options = [
        Option("--url", "URL", "the server; ERRAND_URL, the last one or this machine's unless given"),
        Option("--email", "EMAIL", "the account's address"),
        Option("--password-file", "FILE", "read the password from a file, or from standard input for `-`"),
        Option("--otp", "CODE", "the second factor: a code of the authenticator application, or a recovery code"),
        Option(
            "--code",
            "show a code to confirm in a browser elsewhere; so too without a terminal and a password file"
        ),
        Option("--provider", "NAME", "sign in by this OpenID provider, in a browser on this machine"),
        Option("--fresh", "with --provider: have it ask again who you are, as some acts demand"),
        Option("--ca", "FILE", "trust the certificate authority in this PEM file; a copy is kept"),
        Option("--device", "NAME", "what this sign-in is called; the machine's name unless given"),
        Option("--data", "DIR", "take the rest from this data directory of an `errand up` on this machine"),
    ]

    private let url: String?
    private let email: String?
    private let passwordFile: String?
    private let otp: String?
    private let wantsCode: Bool
    private let provider: String?
    private let isFresh: Bool
    private let caFile: String?
    private let device: String?
    private let data: String?

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
        url = arguments.value("--url")
        email = arguments.value("--email")
        passwordFile = arguments.value("--password-file")
        otp = arguments.value("--otp")
        wantsCode = arguments.has("--code")
        provider = try arguments.value("--provider").map { name throws(UsageError) in try AdminProviders.name(name) }
        isFresh = arguments.has("--fresh")
        if provider != nil, email != nil || passwordFile != nil || wantsCode {
            throw UsageError("with --provider neither --email, --password-file nor --code is meant")
        }
        if isFresh, provider == nil { throw UsageError("--fresh needs --provider") }
        caFile = arguments.value("--ca")
        device = arguments.value("--device")
        data = arguments.value("--data")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let environment = ClientEnvironment.ofProcess()
        let file = try CredentialFile(environment)
        // Whatever is wrong with an old sign-in, the new one replaces it.
        let before = (try? await file.load()) ?? nil
        let isNamed = url != nil || environment["ERRAND_URL"] != nil || before != nil
        let local = try await localServer(isNamed: isNamed)
        guard let text = url ?? local?.url ?? environment["ERRAND_URL"] ?? before?.url else {
            throw CommandFailure("which server? Name it with --url https://HOST:PORT", exitCode: ExitCode.usage)
        }
        let server = try ServerAddress(text)
        let last = before?.url == server.text ? before : nil
        let authorities = caFile ?? local?.caFile ?? environment["ERRAND_CA"] ?? last?.caFile
        let session = try ClientSession(
            loop: loop,
            output: OutputQueue(loop: loop, style: environment.outputStyle()),
            server: server,
            caFile: authorities,
            credentials: nil,
            file: nil,
            fixedToken: nil
        )
        let (email, tokens) = try await proof(session, local, last, file, terminal)
        let kept = authorities == file.caPath ? authorities : try await keep(authorities, in: file)
        var credentials = Credentials(url: server.text, caFile: kept, email: email, tokens: tokens)
        if last?.email == email { credentials.project = last?.project }
        try await file.locked(on: loop) { [credentials] in try await file.save(credentials) }
        terminal.note("signed in to \(server.text) as \(VisibleText.line(email))")
        return ExitCode.done
    }

    /// Signs in by the provider that was named, with the password, or with a code where nobody can type one.
    private func proof(
        _ session: ClientSession,
        _ local: ReadyFile?,
        _ last: Credentials?,
        _ file: CredentialFile,
        _ terminal: Terminal
    ) async throws -> (email: String, tokens: TokenPair) {
        if let provider {
            let login = ProviderLogin(provider: provider, isFresh: isFresh, device: deviceName, terminal: terminal)
            return try await login.run(on: session) { interim, methods in
                try await secondStep(session, interim, methods: methods, deviceToken: nil)
            }
        }
        let hasPassword = passwordFile != nil || email == nil && local?.passwordFile != nil
        var usesCode = wantsCode
        if !usesCode, !hasPassword { usesCode = try await !PersonalInput.isThere() }
        if usesCode {
            return try await CodeLogin(session: session, device: deviceName, terminal: terminal).run()
        }
        let email = try await answer(email ?? local?.email, "Email: ", isSecret: false, missing: "--email")
        let password = try await password(local?.passwordFile)
        let remembered = await file.deviceToken(for: email, at: session.server.text)
        let known = last?.email == email ? last?.deviceToken ?? remembered : remembered
        return (email, try await signIn(session, email: email, password: password, deviceToken: known))
    }

    /// What this sign-in will be called.
    private var deviceName: String { String((device ?? (try? Files.hostName()) ?? "command line").prefix(100)) }

    /// What `errand up` on this machine says, if it was named, or if nothing else says which server is meant.
    private func localServer(isNamed: Bool) async throws -> ReadyFile? {
        if let data { return try await ReadyFile.read(in: data) }
        guard !isNamed, let standard = (try? Configuration.load())?.dataDirectory else { return nil }
        return try? await ReadyFile.read(in: standard)
    }

    private func signIn(
        _ session: ClientSession,
        email: String,
        password: String,
        deviceToken: String?
    ) async throws -> TokenPair {
        let body = JSONValue.object(
            JSONObject([
                ("email", .string(email)), ("password", .string(password)),
                ("device_name", .string(deviceName)),
            ])
        )
        do {
            return try await session.signIn("/v1/auth/login", body, deviceToken: deviceToken)
        } catch let problem as ServerProblem {
            guard let interim = problem.interimToken else { throw problem.failure }
            return try await secondStep(session, interim, methods: problem.methods, deviceToken: deviceToken)
        } catch let error as HTTPClientError {
            throw CommandFailure(error, server: session.server.text)
        }
    }

    /// Ends a sign-in that wants a second factor; a person at a terminal may mistype twice.
    private func secondStep(
        _ session: ClientSession,
        _ interimToken: String,
        methods: [String],
        deviceToken: String?
    ) async throws -> TokenPair {
        guard methods.contains("totp") || methods.contains("recovery_code") else {
            throw CommandFailure(
                "this account signs in with a passkey, which needs a browser",
                exitCode: ExitCode.refused
            )
        }
        var triesLeft = otp == nil ? 3 : 1
        while true {
            let typed = try await answer(otp, "Code, or a recovery code: ", isSecret: false, missing: "--otp")
            triesLeft -= 1
            do {
                let request = SecondStep.request(interimToken, typed: typed)
                return try await session.signIn("/v1/auth/second-factor", request, deviceToken: deviceToken)
            } catch let problem as ServerProblem {
                guard triesLeft > 0, problem.code == "wrong_code" || problem.code == "wrong_recovery_code" else {
                    throw problem.failure
                }
                session.output.note(problem.text)
            } catch let error as HTTPClientError {
                throw CommandFailure(error, server: session.server.text)
            }
        }
    }

    private func password(_ local: String?) async throws -> String {
        guard let path = passwordFile ?? (email == nil ? local : nil) else {
            return try await answer(nil, "Password: ", isSecret: true, missing: "--password-file")
        }
        // Files end with a line break that no password has.
        let text = try await InputText.read(path, limit: 4_096, what: "the password")
        return String(text.hasSuffix("\n") ? text.dropLast() : text[...])
    }

    private func answer(_ given: String?, _ question: String, isSecret: Bool, missing: String) async throws -> String {
        if let given { return given }
        guard let typed = try await PersonalInput.ask(question, isSecret: isSecret) else {
            throw CommandFailure("there is no terminal to ask on: give \(missing)", exitCode: ExitCode.usage)
        }
        guard !typed.isEmpty else { throw CommandFailure("nothing was typed", exitCode: ExitCode.usage) }
        return typed
    }

    private func keep(_ authorities: String?, in file: CredentialFile) async throws -> String? {
        guard let authorities else { return nil }
        return try await file.keepAuthorities(from: authorities)
    }
}
