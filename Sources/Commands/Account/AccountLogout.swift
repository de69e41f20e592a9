import HTTP
package import Platform

/// `errand logout`: ends the sign-in on the server and forgets it here, all but the device's token, which opens nothing.
package struct AccountLogout: Verb {
    package static let words = ["logout"]
    package static let usage = ""
    package static let summary = "End the sign-in, its tokens and its streams."

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let environment = ClientEnvironment.ofProcess()
        let file = try CredentialFile(environment)
        guard environment["ERRAND_TOKEN"] == nil, let stored = try await file.load() else {
            terminal.note("nobody is signed in")
            return ExitCode.done
        }
        do {
            let client = try await Client.open(on: loop, environment.forServer(stored.url, caFile: stored.caFile))
            _ = try await client.session.call(.post, "/v1/auth/logout", repeats: .safe)
        } catch let failure as CommandFailure where failure.exitCode != ExitCode.refused {
            try await file.remove(stored)
            throw CommandFailure(
                "forgotten here, but \(stored.url) could not be told (\(failure)): the sign-in ends there by itself",
                exitCode: failure.exitCode
            )
        } catch is CommandFailure {
            // The server refused the tokens: the sign-in had ended already.
        }
        try await file.remove(stored)
        terminal.note("signed out of \(stored.url)")
        return ExitCode.done
    }
}
