import Bytes
import Core
import HTTP
package import Platform

/// `errand service-account list`: the team's service accounts.
package struct ServiceAccountList: Verb {
    package static let words = ["service-account", "list"]
    package static let usage = "[--team ID] [--json]"
    package static let summary = "List the team's service accounts."
    package static let options = [KeyOptions.team, KeyOptions.json]

    private let arguments: Arguments

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await KeyOptions.team(arguments, client)
        let items = try await client.session.get("/v1/teams/\(team)/service-accounts")["items"]?.array ?? []
        if arguments.has("--json") {
            terminal.put(JSONValue.array(items).encoded() + [UInt8(ascii: "\n")])
            return ExitCode.done
        }
        var table = Table("NAME", "ROLE", "CREATED", "ID")
        for item in items {
            table.add(
                item["name"]?.string ?? "",
                item["role"]?.string ?? "",
                item["created_at"]?.string ?? "",
                item["id"]?.string ?? ""
            )
        }
        for line in table.lines(width: ClientEnvironment.terminalWidth()) { terminal.print(line) }
        return ExitCode.done
    }
}

/// `errand service-account delete ID`: ends a service account and its keys.
package struct ServiceAccountDelete: Verb {
    package static let words = ["service-account", "delete"]
    package static let usage = "ID [--team ID]"
    package static let summary = "End a service account and all of its keys at once."
    package static let options = [KeyOptions.team]

    private let arguments: Arguments
    private let account: ServiceAccountID

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        let word = try arguments.exactly("ID")[0]
        guard let account = ServiceAccountID(word) else {
            throw UsageError("\(word) is not a service account's id (svc_…): see `errand service-account list`")
        }
        self.account = account
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await KeyOptions.team(arguments, client)
        _ = try await client.session.call(.delete, "/v1/teams/\(team)/service-accounts/\(account)", repeats: .never)
        terminal.note("\(account) and its keys are ended")
        return ExitCode.done
    }
}
