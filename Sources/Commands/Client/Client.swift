import Core
import Platform

/// What every verb of the client starts with: its environment, its outputs and its session.
struct Client {
    let environment: ClientEnvironment
    let style: OutputStyle
    let output: OutputQueue
    let session: ClientSession

    /// Opens the session that the environment or the file of credentials names.
    static func open(
        on loop: EventLoop,
        _ environment: ClientEnvironment = .ofProcess(),
        sink: @escaping OutputQueue.Sink = DescriptorOutput.write,
        clock: any TimeSource = SystemTime()
    ) async throws -> Client {
        let style = environment.outputStyle()
        let output = OutputQueue(loop: loop, style: style, sink: sink)
        let fixedToken = environment["ERRAND_TOKEN"]
        let file = fixedToken == nil ? try CredentialFile(environment) : try? CredentialFile(environment)
        // With a token from outside a file that cannot be read matters little.
        let stored = fixedToken == nil ? try await file?.load() : (try? await file?.load()) ?? nil
        guard let text = environment["ERRAND_URL"] ?? stored?.url else {
            throw CommandFailure(
                "you are not signed in: run `errand login --url https://HOST:PORT`",
                exitCode: ExitCode.refused
            )
        }
        let server = try ServerAddress(text)
        // Tokens go to the server that gave them and to no other.
        let credentials = stored?.url == server.text ? stored : nil
        if credentials == nil, fixedToken == nil { throw ClientSession.signedOut(server) }
        let session = try ClientSession(
            loop: loop,
            output: output,
            server: server,
            caFile: environment["ERRAND_CA"] ?? credentials?.caFile,
            credentials: credentials,
            file: file,
            fixedToken: fixedToken,
            clock: clock
        )
        return Client(environment: environment, style: style, output: output, session: session)
    }
}
