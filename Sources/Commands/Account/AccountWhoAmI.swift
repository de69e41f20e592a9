import Bytes
package import Platform

/// `errand whoami`: who is signed in, where, and in which teams.
package struct AccountWhoAmI: Verb {
    package static let words = ["whoami"]
    package static let usage = "[--json]"
    package static let summary = "Show who is signed in, and the teams."
    package static let options = [Option("--json", "print the server's document")]

    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let me = try await client.session.get("/v1/me")
        if isJSON {
            terminal.put(me.encoded() + [UInt8(ascii: "\n")])
            return ExitCode.done
        }
        let email = me["email"]?.string ?? ""
        let name = me["name"]?.string ?? ""
        let rank = me["is_administrator"]?.bool == true ? ", administrator" : ""
        terminal.print("\(VisibleText.line(email)) (\(VisibleText.line(name))\(rank)) at \(client.session.server.text)")
        if let project = client.session.credentials?.project {
            terminal.print("project \(VisibleText.line(project.name)) (\(project.id))")
        }
        if let factor = me["second_factor"].flatMap({ SecondFactorText.line($0) }) { terminal.print(factor) }
        var table = Table("TEAM", "ROLE", "ID")
        for team in me["teams"]?.array ?? [] {
            table.add(team["name"]?.string ?? "", team["role"]?.string ?? "", team["id"]?.string ?? "")
        }
        for line in table.lines(width: ClientEnvironment.terminalWidth()) { terminal.print(line) }
        return ExitCode.done
    }
}

/// What an account proves beside its password, in a line.
enum SecondFactorText {
    /// Nil for an account without a second factor.
    static func line(_ factor: JSONValue) -> String? {
        let passkeys = factor["passkeys"]?.integer ?? 0
        var parts: [String] = factor["totp_since"]?.string == nil ? [] : ["authenticator codes"]
        if passkeys > 0 { parts.append(passkeys == 1 ? "a passkey" : "\(passkeys) passkeys") }
        guard !parts.isEmpty else { return nil }
        let left = factor["recovery_codes_left"]?.integer ?? 0
        return "second factor: \(parts.joined(separator: ", ")); \(left) recovery codes left"
    }
}
