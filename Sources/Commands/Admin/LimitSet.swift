import API
import Bytes
import Core
package import Platform
import Store

/// `errand admin limit set TEAM NAME VALUE`: gives a team a quota of its own, or takes it away.
package struct LimitSet: Verb {
    package static let words = ["admin", "limit", "set"]
    package static let usage = "TEAM NAME VALUE [options]"
    package static let summary = "Set a team's quota: a number, `none` for no limit, or `default`."
    package static let options = [AdminOptions.data, AdminOptions.json]

    private let arguments: Arguments
    private let team: TeamID
    private let name: QuotaName
    private let setting: QuotaSetting

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        let words = try arguments.exactly("TEAM", "NAME", "VALUE")
        team = try LimitArguments.team(words[0])
        name = try LimitArguments.quota(words[1])
        setting = try LimitArguments.setting(words[2])
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let now = WallClock.now()
        let audit = AuditDraft.administration(
            "quota.changed",
            team: team,
            target: name.rawValue,
            at: now,
            details: [AuditDetail("value", text)]
        )
        let quota = try await AdminSession.run(arguments, on: loop) { store in
            guard try await store.quotas.setQuota(name, setting, of: team, now: now, audit: audit) else {
                throw LimitArguments.unknown(team)
            }
            return try await store.quotas.quotas(of: team, scope: .system, now: now).first { $0.name == name }
        }
        guard let quota else { throw LimitArguments.unknown(team) }
        if arguments.has("--json") {
            var writer = JSONWriter()
            QuotaView.write(quota, to: &writer)
            terminal.put(writer.bytes + [UInt8(ascii: "\n")])
        } else {
            terminal.note("\(name.rawValue) of \(team): \(quota.used) of \(quota.limit.map { "\($0)" } ?? "no limit")")
        }
        return ExitCode.done
    }

    private var text: String {
        switch setting {
        case .standard: "default"
        case .unlimited: "none"
        case .limit(let limit): "\(limit)"
        }
    }
}
