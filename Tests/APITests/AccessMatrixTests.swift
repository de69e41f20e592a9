import API
import Auth
import Bytes
import Core
import HTTP
import Testing

/// Every route of the table, called by everybody: what is allowed follows from the two tables and from nothing else.
@Suite struct AccessMatrixTests {
    /// Whose objects a call is about.
    enum Target: CaseIterable { case own, other }

    /// What an answer has to be.
    private enum Expectation: Equatable {
        case unauthenticated, forbidden, missing, allowed
        /// A listing in which nothing of the other team is.
        case empty
    }

    @Test(arguments: AccessCaller.allCases)
    func `items 14 and 58: every route by every role, on the own team and on another`(
        caller: AccessCaller
    ) async throws {
        try await withAPI { world in
            for row in Endpoints.table {
                for target in Target.allCases {
                    let stage = try await AccessStage(world, for: row)
                    let expected = Self.expectation(row, caller, target)
                    let request = try stage.request(row, caller, on: target == .own ? stage.own : stage.other)
                    let answer = try await stage.send(row, request, caller)
                    Self.check(answer, expected, row, "\(caller), \(target)")
                }
            }
        }
    }

    @Test func `item 13: another team's object answers like one that does not exist`() async throws {
        try await withAPI { world in
            for row in Endpoints.table {
                switch row.access {
                case .team, .project, .job: break
                case .anyone, .page, .machine, .worker, .person, .account, .chosen: continue
                }
                let stage = try await AccessStage(world, for: row)
                let other = try await stage.send(row, stage.request(row, .owner, on: stage.other), .owner)
                let missing = try await stage.send(row, stage.request(row, .owner, on: stage.missing()), .owner)
                let place = "\(row.method.rawValue) \(row.pattern)"
                #expect(other.status == 404 && missing.status == 404, "\(place)")
                #expect(other.anonymous == missing.anonymous, "\(place)")
                #expect(other.headers.anonymous == missing.headers.anonymous, "\(place)")
            }
        }
    }

    @Test(arguments: [AccessCaller.owner, .viewer])
    func `while a team is being deleted it can be looked at, left and taken back, and no more`(
        caller: AccessCaller
    ) async throws {
        try await withAPI { world in
            for row in Endpoints.table {
                guard let permission = row.access.permission, Self.expectation(row, caller, .own) == .allowed else {
                    continue
                }
                let stage = try await AccessStage(world, for: row)
                let request = try stage.request(row, caller, on: stage.own)
                try await stage.beginDeletion()
                let answer = try await stage.send(row, request, caller)
                let place = "\(caller): \(row.method.rawValue) \(row.pattern): \(answer.status) \(answer.code ?? "")"
                if Permissions.holdsDuringDeletion(permission) {
                    #expect(answer.code != "team_deleting" && ![401, 403, 404].contains(answer.status), "\(place)")
                } else {
                    #expect(answer.status == 409 && answer.code == "team_deleting", "\(place)")
                }
            }
        }
    }

    private static func expectation(
        _ row: RouteRow,
        _ caller: AccessCaller,
        _ target: Target
    ) -> Expectation {
        switch row.access {
        case .anyone, .page: return .allowed
        case .worker: return .unauthenticated
        case .machine: return caller == .nobody ? .unauthenticated : .forbidden
        case .person, .account: return caller == .nobody ? .unauthenticated : .allowed
        case .chosen(let permission):
            if row.method == .get {
                if caller == .nobody { return .unauthenticated }
                return target == .own && caller.role != nil ? .allowed : .empty
            }
            return judge(permission, caller, target)
        case .team(let permission), .project(let permission), .job(let permission):
            return judge(permission, caller, target)
        }
    }

    private static func judge(_ permission: Permission, _ caller: AccessCaller, _ target: Target) -> Expectation {
        if caller == .nobody { return .unauthenticated }
        guard target == .own, let role = caller.role else { return .missing }
        return Permissions.allows(role: role, permission) ? .allowed : .forbidden
    }

    private static func check(_ answer: APIAnswer, _ expected: Expectation, _ row: RouteRow, _ who: String) {
        let status = answer.status
        let what = "\(row.method.rawValue) \(row.pattern) by \(who): \(status) \(answer.code ?? "")"
        switch expected {
        // A worker's routes first look at what a worker would have sent.
        case .unauthenticated where row.access == .worker: #expect((400...426).contains(status), "\(what)")
        case .unauthenticated: #expect(status == 401, "\(what)")
        case .forbidden: #expect(status == 403 && answer.code == "forbidden", "\(what)")
        case .missing: #expect(status == 404, "\(what)")
        case .empty: #expect(status == 200 && answer.json["items"]?.array?.isEmpty == true, "\(what)")
        // What is wrong with a request may still be told.
        case .allowed where row.access == .page: #expect([200, 303, 400, 401, 403].contains(status), "\(what)")
        case .allowed where row.access == .anyone: #expect(![403, 404].contains(status) && status < 500, "\(what)")
        // Nobody has a second factor to take away.
        case .allowed where ["removeTOTP", "removePasskey"].contains(row.operationID): #expect(status == 404, "\(what)")
        // A stream asks for a WebSocket next, a workspace for a worker.
        case .allowed where AccessStage.knows(row):
            #expect(status < 300 || [409, 426, 503].contains(status), "\(what)")
        case .allowed: #expect(![401, 403, 404].contains(status) && (status < 500 || status == 503), "\(what)")
        }
    }
}

/// Who calls.
enum AccessCaller: CaseIterable, Sendable {
    case owner, admin, member, viewer
    /// Signed in, and in neither team.
    case stranger
    /// Without a token.
    case nobody

    /// The role in the own team.
    var role: Role? {
        switch self {
        case .owner: .owner
        case .admin: .admin
        case .member: .member
        case .viewer: .viewer
        case .stranger, .nobody: nil
        }
    }
}

extension APIAnswer {
    /// The answer's document without what is different in each.
    var anonymous: JSONValue {
        .object(JSONObject((json.object?.members ?? []).filter { $0.name != "request_id" }.map { ($0.name, $0.value) }))
    }
}

extension HTTPHeaders {
    /// The fields but those that are different in each answer.
    var anonymous: [String] {
        all.filter { !["x-request-id", "ratelimit"].contains($0.0) }.map { "\($0.0): \($0.1)" }.sorted()
    }
}
