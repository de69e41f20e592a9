import Bytes
import HTTP
package import Platform

/// `errand account link PROVIDER`: another way into the account, by an outside provider.
package struct AccountLink: Verb {
    package static let words = ["account", "link"]
    package static let usage = "PROVIDER [--json]"
    package static let summary = "Link your account at an OpenID provider, so that you can sign in by it."
    package static let options = [Option("--json", "print the server's document")]

    private let provider: String
    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        provider = try AdminProviders.name(try arguments.exactly("PROVIDER")[0])
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let code = try await BrowserReturn(loop: loop, terminal: terminal).run { members in
            try await client.confirmed {
                let form = JSONObject([("provider", .string(provider))] + members)
                return try await client.session.post("/v1/me/identities/start", .object(form))
            }
        }
        let linked = try await client.session.post("/v1/me/identities", .object(JSONObject(code.members)))
        if isJSON {
            terminal.put(linked.encoded() + [UInt8(ascii: "\n")])
        } else {
            terminal.note("linked: `errand login --provider \(provider)` signs in to this account")
        }
        return ExitCode.done
    }
}

/// `errand account links`: who the person is at providers.
package struct AccountLinks: Verb {
    package static let words = ["account", "links"]
    package static let usage = "[--json]"
    package static let summary = "List the accounts at OpenID providers that open this account."
    package static let options = [Option("--json", "print the server's documents as an array")]

    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let items = try await client.session.get("/v1/me/identities")["identities"]?.array ?? []
        if isJSON {
            terminal.put(JSONValue.array(items).encoded() + [UInt8(ascii: "\n")])
            return ExitCode.done
        }
        var table = Table("PROVIDER", "ADDRESS", "LAST USED", "ID")
        for item in items {
            table.add(
                item["provider"]?.string ?? item["issuer"]?.string ?? "",
                item["email"]?.string ?? "",
                item["last_used_at"]?.string ?? "",
                item["id"]?.string ?? ""
            )
        }
        for line in table.lines(width: ClientEnvironment.terminalWidth()) { terminal.print(line) }
        return ExitCode.done
    }
}

/// `errand account unlink PROVIDER`: nobody comes in by it any more.
package struct AccountUnlink: Verb {
    package static let words = ["account", "unlink"]
    package static let usage = "PROVIDER"
    package static let summary = "Take a linked account at a provider away, by the provider's name or the link's id."
    package static let options: [Option] = []

    private let named: String

    package init(_ arguments: Arguments) throws(UsageError) {
        named = try arguments.exactly("PROVIDER")[0]
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let items = try await client.session.get("/v1/me/identities")["identities"]?.array ?? []
        let found = items.first { $0["provider"]?.string == named || $0["id"]?.string == named }
        guard let id = found?["id"]?.string else {
            throw CommandFailure(
                "nothing is linked at \(VisibleText.line(named)): see `errand account links`",
                exitCode: ExitCode.notFound
            )
        }
        _ = try await client.confirmed {
            try await client.session.call(.delete, "/v1/me/identities/\(id)", repeats: .never)
        }
        terminal.note("nobody comes into this account by \(VisibleText.line(named)) any more")
        return ExitCode.done
    }
}
