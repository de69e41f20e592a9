import Bytes
import Core
import HTTP
import Testing

@testable import API

/// Line breaks and fields where a client writes a name, an address, an identifier or a token.
@Suite(.timeLimit(.minutes(5))) struct HeaderInjectionTests {
    /// A place for a client's text, with what clean text and text with a line break get there.
    enum Place: CaseIterable, Sendable {
        case path, query, projectName, teamName, inviteAddress, inviteToken, email, deviceName, refreshToken, memberName
    }

    private struct Request {
        let method: HTTPMethod
        let target: String
        var body: JSONValue?
        let control: Int
        let status: Int
        let code: String
    }

    private static func object(_ members: (String, String)...) -> JSONValue {
        .object(JSONObject(members.map { ($0.0, JSONValue.string($0.1)) }))
    }

    private static func request(_ place: Place, _ end: String, _ person: APIPerson, _ job: Job) -> Request {
        let escaped = end.utf8.map { "%" + Hex.encode([$0]) }.joined()
        let team = person.team.id
        return switch place {
        case .path:
            Request(
                method: .get,
                target: "/v1/jobs/\(job.id)\(escaped)",
                control: 200,
                status: 404,
                code: "job_not_found"
            )
        case .query:
            Request(
                method: .get,
                target: "/v1/jobs?state=queued\(escaped)",
                control: 200,
                status: 400,
                code: "malformed_parameter"
            )
        case .projectName:
            Request(
                method: .post,
                target: "/v1/projects",
                body: object(("name", "one\(end)two")),
                control: 201,
                status: 422,
                code: "invalid_fields"
            )
        case .teamName:
            Request(
                method: .post,
                target: "/v1/teams",
                body: object(("name", "one\(end)two")),
                control: 201,
                status: 422,
                code: "invalid_fields"
            )
        case .inviteAddress:
            Request(
                method: .post,
                target: "/v1/teams/\(team)/invites",
                body: object(("email", "guest@example.org\(end)")),
                control: 201,
                status: 422,
                code: "invalid_fields"
            )
        case .inviteToken:
            // There is no good one to be had here: without the line break it is as unknown.
            Request(
                method: .post,
                target: "/v1/invites/accept",
                body: object(("token", "einv_\(end)")),
                control: 404,
                status: 404,
                code: "invite_not_found"
            )
        case .email:
            Request(
                method: .post,
                target: "/v1/auth/login",
                body: object(("email", person.user.email + end), ("password", APIWorld.password)),
                control: 200,
                status: 401,
                code: "wrong_credentials"
            )
        case .deviceName:
            Request(
                method: .post,
                target: "/v1/auth/login",
                body: object(
                    ("email", person.user.email),
                    ("password", APIWorld.password),
                    ("device_name", "phone\(end)x")
                ),
                control: 200,
                status: 422,
                code: "invalid_fields"
            )
        case .refreshToken:
            Request(
                method: .post,
                target: "/v1/auth/refresh",
                body: object(("refresh_token", "ert_\(end)")),
                control: 401,
                status: 401,
                code: "refresh_refused"
            )
        case .memberName:
            Request(
                method: .post,
                target: "/v1/projects",
                body: object(("name", "three")).object.map { kept in
                    let extra = end.isEmpty ? [] : [(end, JSONValue.string("x"))]
                    return .object(JSONObject(kept.members.map { ($0.name, $0.value) } + extra))
                },
                control: 201,
                status: 400,
                code: "unknown_fields"
            )
        }
    }

    @Test(arguments: Place.allCases) func `text with a line break is refused, and never becomes a field of an answer`(
        place: Place
    ) async throws {
        try await withAPI { world in
            let person = try await world.person()
            let job = try await world.job(of: person)
            let token = try await world.device(of: person).token
            for end in [
                "\r\nset-cookie: a=b", "\nset-cookie: a=b", "\r\n\r\n<script>", "\u{1b}[31m", "\u{85}x", "\u{2028}x",
            ] {
                // A line's end of Unicode is none in a header field: it may stand in a path, a query or a token.
                let request = Self.request(place, end, person, job)
                let answer = try await world.send(request.method, request.target, request.body, token: token)
                let what = "\(place), \(end.debugDescription): \(answer.status) \(answer.text)"
                #expect(answer.status == request.status && answer.code == request.code, "\(what)")
                for (name, value) in answer.headers.all {
                    #expect(name != "set-cookie", "\(what)")
                    #expect(value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }, "\(what)")
                }
                #expect(answer.body.allSatisfy { $0 >= 0x20 }, "\(what)")
            }
            let control = Self.request(place, "", person, job)
            let answer = try await world.send(control.method, control.target, control.body, token: token)
            #expect(answer.status == control.control, "\(place): \(answer.text)")
        }
    }
}
