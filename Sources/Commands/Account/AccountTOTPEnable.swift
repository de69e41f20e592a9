import Bytes
package import Platform

/// `errand account totp enable`: an authenticator application as second factor.
package struct AccountTOTPEnable: Verb {
    package static let words = ["account", "totp", "enable"]
    package static let usage = "[--otp CODE] [--json]"
    package static let summary = "Set an authenticator application up as second factor, and print recovery codes."
    package static let options = [
        Option("--otp", "CODE", "confirm what was begun before, with a code of the application"),
        Option("--json", "print the server's documents and ask nothing: confirm with a second call and --otp"),
    ]

    private let code: String?
    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
        code = arguments.value("--otp")
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        if let code { return try await confirm(code, client, terminal) }
        let begun = try await client.confirmed { try await client.session.post("/v1/me/totp") }
        guard let secret = begun["secret"]?.string, let uri = begun["uri"]?.string else {
            throw CommandFailure(
                "\(client.session.server.text) does not answer as an errand server",
                exitCode: ExitCode.unavailable
            )
        }
        guard !isJSON else {
            terminal.put(begun.encoded() + [UInt8(ascii: "\n")])
            return ExitCode.done
        }
        terminal.note("Open this link on the device with the application, or type the key into it:\n")
        terminal.print(VisibleText.line(uri, limit: 1_000))
        terminal.print(Self.grouped(VisibleText.line(secret)))
        guard let typed = try await PersonalInput.ask("Code that it shows: ", isSecret: false), !typed.isEmpty else {
            terminal.note("confirm with `errand account totp enable --otp CODE` within fifteen minutes")
            return ExitCode.done
        }
        return try await confirm(typed, client, terminal)
    }

    private func confirm(_ code: String, _ client: Client, _ terminal: Terminal) async throws -> Int32 {
        let body = JSONValue.object(JSONObject([("code", .string(code))]))
        let answer = try await client.confirmed { try await client.session.post("/v1/me/totp/confirm", body) }
        terminal.note("The second factor is on; your other sign-ins have ended.")
        RecoveryCodeText.put(answer, isJSON: isJSON, terminal)
        return ExitCode.done
    }

    /// In fours, as people read them aloud.
    static func grouped(_ secret: String) -> String {
        stride(from: 0, to: secret.count, by: 4).map { String(secret.dropFirst($0).prefix(4)) }.joined(separator: " ")
    }
}

/// Recovery codes for the person.
enum RecoveryCodeText {
    static func put(_ answer: JSONValue, isJSON: Bool, _ terminal: Terminal) {
        if isJSON {
            terminal.put(answer.encoded() + [UInt8(ascii: "\n")])
            return
        }
        terminal.note("Keep these recovery codes apart from the device. Each works once; they are not shown again.\n")
        for code in answer["recovery_codes"]?.array ?? [] {
            terminal.print(VisibleText.line(code.string ?? "", limit: 100))
        }
    }
}
