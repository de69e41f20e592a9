import Bytes
import Core
package import Platform

/// `errand team invite`: makes an invitation and prints its link.
package struct TeamInvite: Verb {
    package static let words = ["team", "invite"]
    package static let usage = "[ADDRESS] [--role ROLE] [--expires TIME] [--team TEAM] [--print] [--json]"
    package static let summary = "Invite somebody by a link that works once: mailed to ADDRESS, or printed."
    package static let options = [
        Option("--role", "ROLE", "what the guest will be: viewer, member (default), admin, owner; up to your own"),
        Option("--expires", "TIME", "how long it stands, such as 2h or 7d (default), at most 30d"),
        Option("--print", "print the link although it is mailed"),
        TeamOptions.team,
        TeamOptions.json,
    ]

    private let arguments: Arguments
    private let body: JSONValue

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        guard arguments.words.count <= 1 else { throw UsageError("expected: one ADDRESS at most") }
        var members: [(String, JSONValue)] = []
        if let word = arguments.words.first {
            guard let address = EmailAddress.canonical(word) else { throw UsageError("\(word) is not a mail address") }
            members.append(("email", .string(address)))
        }
        if let word = arguments.value("--role") {
            members.append(("role", .string(try Role(argument: word).rawValue)))
        }
        if let word = arguments.value("--expires") {
            guard let seconds = HumanText.seconds(word) else { throw UsageError("\(word) is not a time such as 2h") }
            members.append(("expires_in_seconds", .integer(Int64(seconds))))
        }
        body = .object(JSONObject(members))
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await client.team(arguments.value(TeamOptions.team.name))
        let document = try await client.session.post(team.path + "/invites", body)
        guard let link = document["url"]?.string else {
            throw CommandFailure("the server's answer is no invitation", exitCode: ExitCode.unavailable)
        }
        if arguments.has(TeamOptions.json.name) {
            terminal.put(document.encoded() + [UInt8(ascii: "\n")])
        } else if document["queued"]?.array?.isEmpty == false, !arguments.has("--print") {
            terminal.note("the invitation into \(team.shown) is on its way")
        } else {
            terminal.note("an invitation into \(team.shown), for `errand team accept LINK`; it is not shown again")
            terminal.print(VisibleText.line(link))
        }
        return ExitCode.done
    }
}
