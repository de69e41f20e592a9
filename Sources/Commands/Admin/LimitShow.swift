import API
import Bytes
import Core
package import Platform
import Store

/// `errand admin limit show TEAM`: what a team has and may have.
package struct LimitShow: Verb {
    package static let words = ["admin", "limit", "show"]
    package static let usage = "TEAM [options]"
    package static let summary = "Show a team's quotas and what it uses of them."
    package static let options = [AdminOptions.data, AdminOptions.json]

    private let arguments: Arguments
    private let team: TeamID

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        team = try LimitArguments.team(try arguments.exactly("TEAM")[0])
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let quotas = try await AdminSession.run(arguments, on: loop) { store in
            try await store.quotas.quotas(of: team, scope: .system, now: WallClock.now())
        }
        guard !quotas.isEmpty else { throw LimitArguments.unknown(team) }
        if arguments.has("--json") {
            var writer = JSONWriter()
            writer.beginArray()
            for quota in quotas { QuotaView.write(quota, to: &writer) }
            writer.endArray()
            terminal.put(writer.bytes + [UInt8(ascii: "\n")])
        } else {
            for quota in quotas {
                let limit = quota.limit.map { "\($0)" } ?? "no limit"
                terminal.print("\(quota.name.rawValue)  \(quota.used) of \(limit)\(quota.isOwn ? "" : " (default)")")
            }
        }
        return ExitCode.done
    }
}

/// What the verbs about limits are told.
enum LimitArguments {
    static func team(_ word: String) throws(UsageError) -> TeamID {
        guard let team = TeamID(word) else { throw UsageError("\(word) is not a team's id (team_…)") }
        return team
    }

    static func quota(_ word: String) throws(UsageError) -> QuotaName {
        guard let name = QuotaName(rawValue: word) else {
            throw UsageError(
                "\(word) is not a quota: write one of \(QuotaName.allCases.map(\.rawValue).joined(separator: ", "))"
            )
        }
        return name
    }

    static func setting(_ word: String) throws(UsageError) -> QuotaSetting {
        switch word {
        case "default": return .standard
        case "none": return .unlimited
        default:
            guard let limit = Int64(word), (0...QuotaSetting.largest).contains(limit) else {
                throw UsageError("VALUE must be a whole number, `none` for no limit, or `default`")
            }
            return .limit(limit)
        }
    }

    static func unknown(_ team: TeamID) -> CommandFailure {
        CommandFailure("there is no team \(team)", exitCode: ExitCode.notFound)
    }
}
