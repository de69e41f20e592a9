import Bytes
import Core
import HTTP
import Testing

/// A team with its owner, a project and a job, on which keys are tried.
final class KeyStage {
    let world: APIWorld
    let owner: APIPerson
    let token: String
    let project: ProjectID
    let job: Job

    init(_ world: APIWorld) async throws {
        self.world = world
        owner = try await world.person()
        token = try await world.device(of: owner).token
        job = try await world.job(of: owner)
        project = job.projectID
    }

    var team: Team { owner.team }
    var path: String { "/v1/teams/\(team.id)/api-keys" }

    /// Asks for a key and gives the whole answer.
    func ask(
        _ scopes: [String],
        _ more: [(String, JSONValue)] = [],
        by token: String? = nil,
        in team: Team? = nil
    ) async throws -> APIAnswer {
        let members: [(String, JSONValue)] = [("name", .string("robot")), ("scopes", .strings(scopes))]
        return try await world.send(
            .post,
            "/v1/teams/\((team ?? self.team).id)/api-keys",
            .object(JSONObject(members + more)),
            token: token ?? self.token
        )
    }

    /// Makes a key.
    func key(
        _ scopes: [String],
        _ more: [(String, JSONValue)] = [],
        by token: String? = nil,
        in team: Team? = nil
    ) async throws -> (id: APIKeyID, secret: String) {
        let answer = try await ask(scopes, more, by: token, in: team)
        try #require(answer.status == 201, "\(answer.text)")
        return (
            id: try #require(answer.json["key"]?["id"]?.string.flatMap { APIKeyID($0) }),
            secret: try #require(answer.json["secret"]?.string)
        )
    }

    /// The status of reading the stage's job with a key.
    func reads(_ secret: String, replica: Int = 0) async throws -> Int {
        try await world.send(.get, "/v1/jobs/\(job.id)", token: secret, replica: replica).status
    }

    /// The key as the owner sees it.
    func shown(_ id: APIKeyID) async throws -> JSONValue? {
        let list = try await world.send(.get, path, token: token)
        return list.json["items"]?.array?.first { $0["id"]?.string == id.description }
    }

    /// Makes a service account.
    func serviceAccount(_ name: String, _ role: String, by token: String? = nil) async throws -> APIAnswer {
        try await world.send(
            .post,
            "/v1/teams/\(team.id)/service-accounts",
            .form(["name": name, "role": role]),
            token: token ?? self.token
        )
    }
}
