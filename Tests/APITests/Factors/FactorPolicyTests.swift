import Bytes
import Core
import HTTP
import Platform
import Testing

@testable import API

/// A team's demand for second factors at the API.
@Suite struct FactorPolicyTests {
    private func demand(
        _ team: Team,
        _ isRequired: JSONValue,
        _ token: String,
        _ world: APIWorld
    ) async throws
        -> APIAnswer
    {
        let body = JSONValue.object(JSONObject([("required", isRequired)]))
        return try await world.send(.put, "/v1/teams/\(team.id)/second-factor", body, token: token)
    }

    @Test func `a member without a factor is told what to do at every object of the team, until enrolled`()
        async throws
    {
        try await withAPI { world in
            let owner = try await FactorPerson(in: world)
            let member = try await FactorPerson(in: world, enrolled: false)
            let team = owner.person.team
            try await world.join(member.person, team, .member)
            let job = try await world.job(of: owner.person)
            let paths = [
                "/v1/teams/\(team.id)", "/v1/teams/\(team.id)/members", "/v1/projects/\(job.projectID)",
                "/v1/jobs/\(job.id)", "/v1/jobs/\(job.id)/output",
            ]
            for path in paths {
                #expect(try await member.send(.get, path, token: member.token).status == 200, "\(path)")
            }
            let answer = try await demand(team, .bool(true), owner.token, world)
            #expect(answer.status == 200 && answer.json["require_second_factor"]?.bool == true, "\(answer.text)")
            for path in paths {
                let held = try await member.send(.get, path, token: member.token)
                #expect(held.status == 403 && held.code == "second_factor_needed", "\(path)")
                #expect(held.json["detail"]?.string?.contains("POST /v1/me/totp") == true)
                #expect(try await owner.send(.get, path, token: owner.token).status == 200)
            }
            let cancel = try await member.send(.post, "/v1/jobs/\(job.id)/cancel", token: member.token)
            #expect(cancel.code == "second_factor_needed")
            for list in ["/v1/jobs", "/v1/projects"] {
                let items = try await member.send(.get, list, token: member.token).json["items"]?.array
                #expect(items?.isEmpty == true, "\(list)")
            }
            // The team itself is still theirs, by name.
            let teams = try await member.send(.get, "/v1/teams", token: member.token).json["items"]?.array ?? []
            let named = teams.first { $0["id"]?.string == team.id.description }
            #expect(named?["require_second_factor"]?.bool == true)
            // Another's object is not there, factor or not.
            let stranger = try await FactorPerson(in: world, enrolled: false)
            #expect(try await stranger.send(.get, paths[2], token: stranger.token).code == "project_not_found")
            try await member.enrol()
            for path in paths {
                #expect(try await member.send(.get, path, token: member.token).status == 200, "\(path)")
            }
            let acts = try await world.acts(of: .team(team.id)).map(\.action)
            #expect(acts.contains("team.factor_policy_changed"))
        }
    }

    @Test func `a key is held to the factors of whoever issued it`() async throws {
        try await withAPI { world in
            let owner = try await FactorPerson(in: world)
            let member = try await FactorPerson(in: world, enrolled: false)
            let team = owner.person.team
            try await world.join(member.person, team, .member)
            let job = try await world.job(of: owner.person)
            let form = JSONValue.members(["name": .string("ci"), "scopes": .strings(["jobs:read"])])
            let path = "/v1/teams/\(team.id)/api-keys"
            let made = try await world.send(.post, path, form, token: member.token)
            let key = try #require(made.json["secret"]?.string, "\(made.text)")
            #expect(try await member.send(.get, "/v1/jobs/\(job.id)", token: key).status == 200)
            #expect(try await demand(team, .bool(true), owner.token, world).status == 200)
            let held = try await member.send(.get, "/v1/jobs/\(job.id)", token: key)
            #expect([401, 403, 404].contains(held.status), "\(held.text)")
            try await member.enrol()
            await world.loop.sleep(ActiveKeys.freshness)
            #expect(try await member.send(.get, "/v1/jobs/\(job.id)", token: key).status == 200)
        }
    }

    @Test func `only an owner with a factor may demand one`() async throws {
        try await withAPI { world in
            let owner = try await FactorPerson(in: world, enrolled: false)
            let admin = try await FactorPerson(in: world)
            let team = owner.person.team
            try await world.join(admin.person, team, .admin)
            let unenrolled = try await demand(team, .bool(true), owner.token, world)
            #expect(unenrolled.status == 409 && unenrolled.code == "owner_without_factor")
            let refused = try await demand(team, .bool(true), admin.token, world)
            #expect(refused.status == 403 && refused.code == "forbidden")
            #expect(try await demand(team, .string("yes"), owner.token, world).status == 422)
            try await owner.enrol()
            #expect(try await demand(team, .bool(true), owner.token, world).status == 200)
            #expect(try await demand(team, .bool(true), owner.token, world).status == 200)
            let changed = try await demand(team, .bool(false), owner.token, world)
            #expect(changed.json["require_second_factor"]?.bool == false)
            let nothing = try await world.send(
                .put,
                "/v1/teams/\(team.id)/second-factor",
                .object(JSONObject()),
                token: owner.token
            )
            #expect(nothing.status == 422)
        }
    }

    @Test func `item 59: a demand needs a fresh proof, and whoever is held back may still leave`() async throws {
        try await withAPI { world in
            let owner = try await FactorPerson(in: world)
            let member = try await FactorPerson(in: world, enrolled: false)
            let team = owner.person.team
            try await world.join(member.person, team, .member)
            world.time.advance(by: .seconds(10 * 60))
            let stale = try await demand(team, .bool(true), owner.token, world)
            #expect(stale.status == 403 && stale.code == "reauthentication_required")
            let proof = try await owner.send(
                .post,
                "/v1/auth/reauthenticate",
                ["otp": owner.code()],
                token: owner.token
            )
            #expect(proof.status == 204)
            #expect(try await demand(team, .bool(true), owner.token, world).status == 200)
            let held = try await member.send(.get, "/v1/teams/\(team.id)", token: member.token)
            #expect(held.code == "second_factor_needed")
            #expect(
                try await member.send(.delete, "/v1/teams/\(team.id)/members/me", token: member.token).status == 204
            )
            let gone = try await member.send(.get, "/v1/teams/\(team.id)", token: member.token)
            #expect(gone.code == "team_not_found")
        }
    }
}
