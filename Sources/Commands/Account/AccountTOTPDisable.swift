import HTTP
package import Platform

/// `errand account totp disable`: no authenticator application any more.
package struct AccountTOTPDisable: Verb {
    package static let words = ["account", "totp", "disable"]
    package static let usage = ""
    package static let summary = "Take the authenticator application away; your other sign-ins end."

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        _ = try await client.confirmed { try await client.session.call(.delete, "/v1/me/totp", repeats: .never) }
        terminal.note("the authenticator application is taken away")
        return ExitCode.done
    }
}
