package import Bytes
package import Core
import HTTP

extension Endpoints {
    /// What a team has and may have: `GET /v1/teams/{id}/quotas`.
    func getQuotas(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        _ = try QueryReader(request, allowed: [])
        let now = services.time.now
        let quotas = try await services.quotas.quotas(of: call.team.id, scope: call.principal.scope, now: now)
        guard !quotas.isEmpty else { throw ProblemError(.missing("team")) }
        return .json(
            200,
            document { writer in
                writer.beginObject()
                writer.member("team_id", call.team.id.description)
                writer.member("day_ends_at", now.nextDay)
                writer.key("items")
                writer.beginArray()
                for quota in quotas { QuotaView.write(quota, to: &writer) }
                writer.endArray()
                writer.endObject()
            }
        )
    }
}

/// The one JSON form of a quota.
package enum QuotaView {
    /// Writes one quota as an object.
    package static func write(_ quota: Quota, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("name", quota.name.rawValue)
        writer.member("used", quota.used)
        writer.member("limit", quota.limit)
        writer.member("is_default", !quota.isOwn)
        writer.endObject()
    }
}

extension Timestamp {
    private static let day: Int64 = 86_400_000

    /// When the day of this instant ends, in UTC.
    var nextDay: Timestamp {
        let days = (Double(milliseconds) / Double(Self.day)).rounded(.down)
        return Timestamp(milliseconds: (Int64(days) + 1) * Self.day)
    }
}

extension Problem {
    /// A team has all that a quota allows: 429 for what time frees by itself, 409 for what somebody has to give up.
    static func quotaExceeded(_ name: QuotaName, retryAfter: Int? = nil) -> Problem {
        let isPassing = name == .queuedJobs || name == .runningJobs || name == .spendPerDay
        var problem = Problem(
            status: isPassing ? 429 : 409,
            code: "quota_exceeded",
            title: "The team has all that its quota allows",
            detail: "The quota is \(name.rawValue). GET /v1/teams/{id}/quotas shows it; "
                + "`errand admin limit set TEAM \(name.rawValue) VALUE` changes it.",
            // A job ends now and then; what takes longer is said by who knows.
            retryAfter: isPassing ? retryAfter ?? 5 : nil
        )
        problem.type = ProblemType.quotaExceeded
        problem.violatedPolicies = [name.rawValue]
        return problem
    }
}
