import API
import Auth
import Bytes
import Core
import HTTP
import Testing

/// Every route of the table, called by an owner's keys with every scope alone, and with all but the one that it needs: what
/// is allowed follows from the table of routes and that of scopes.
@Suite struct KeyScopeMatrixTests {
    /// What an answer has to be.
    private enum Expectation: Equatable {
        case allowed, scopeMissing(KeyScope), personRequired, missing, keyLimited, notAWorker
    }

    @Test(arguments: [false, true]) func `item 14: every route by a key of every scope, of the team or of one project`(
        isLimited: Bool
    ) async throws {
        try await withAPI { world in
            var allowed: [KeyScope: Int] = [:]
            for row in Endpoints.table {
                let stage = try await AccessStage(world, for: row)
                // What succeeds comes last: it may end what the others are about.
                let tries = Self.scopeSets(row).map { ($0, Self.expectation(row, $0, isLimited)) }
                for (scopes, expected) in tries.filter({ $0.1 != .allowed }) + tries.filter({ $0.1 == .allowed }) {
                    let key = try await stage.key(scopes, isLimited: isLimited)
                    let request = try stage.request(row, .owner, on: stage.own)
                    let answer = try await stage.send(row, request, token: key)
                    let names = scopes.map(\.rawValue).sorted().joined(separator: " ")
                    Self.check(answer, expected, row, names)
                    guard expected == .allowed, let need = Self.scope(row) else { continue }
                    allowed[need, default: 0] += 1
                    // Another team's is not there for any key.
                    guard case .chosen = row.access else {
                        let other = try stage.request(row, .owner, on: stage.other)
                        #expect(try await stage.send(row, other, token: key).status == 404, "\(row.pattern): \(names)")
                        continue
                    }
                }
            }
            let reachable = Endpoints.table.filter { row in
                guard case .team = row.access else { return true }
                return !isLimited
            }
            #expect(Set(allowed.keys) == Set(reachable.compactMap(Self.scope)))
        }
    }

    /// The one scope that a route needs; nil for those that need none or a person.
    private static func scope(_ row: RouteRow) -> KeyScope? {
        guard let permission = row.access.permission, case .scope(let scope) = KeyScopes.need(for: permission) else {
            return nil
        }
        return scope
    }

    private static func scopeSets(_ row: RouteRow) -> [Set<KeyScope>] {
        let all = Set(KeyScope.allCases)
        return KeyScope.allCases.map { [$0] } + [scope(row).map { all.subtracting([$0]) } ?? all]
    }

    private static func expectation(_ row: RouteRow, _ scopes: Set<KeyScope>, _ isLimited: Bool) -> Expectation {
        func judge(_ permission: Permission) -> Expectation {
            switch KeyScopes.need(for: permission) {
            case .nothing: .allowed
            case .scope(let scope): scopes.contains(scope) ? .allowed : .scopeMissing(scope)
            case .person: .personRequired
            }
        }
        switch row.access {
        case .anyone, .page, .account: return .allowed
        case .worker: return .notAWorker
        case .machine, .person: return .personRequired
        case .team(let permission): return isLimited ? .missing : judge(permission)
        case .project(let permission), .job(let permission): return judge(permission)
        case .chosen(let permission):
            let verdict = judge(permission)
            // What is made in the team itself is in none of its projects.
            return isLimited && verdict == .allowed && row.operationID == "createProject" ? .keyLimited : verdict
        }
    }

    private static func check(_ answer: APIAnswer, _ expected: Expectation, _ row: RouteRow, _ scopes: String) {
        let status = answer.status
        let what = "\(row.method.rawValue) \(row.pattern) with \(scopes): \(status) \(answer.code ?? "")"
        switch expected {
        case .scopeMissing(let scope):
            #expect(status == 403 && answer.code == "scope_missing", "\(what)")
            #expect(answer.json["detail"]?.string?.contains(scope.rawValue) == true, "\(what)")
        case .personRequired: #expect(status == 403 && answer.code == "person_required", "\(what)")
        case .keyLimited: #expect(status == 403 && answer.code == "key_limited", "\(what)")
        case .missing: #expect(status == 404, "\(what)")
        // Those first look at what a worker would have sent.
        case .notAWorker: #expect((400...426).contains(status), "\(what)")
        // Whoever brings a key to a page is nobody there.
        case .allowed where row.access == .page: #expect([200, 303, 400, 401, 403].contains(status), "\(what)")
        case .allowed where row.access == .anyone: #expect(![403, 404].contains(status) && status < 500, "\(what)")
        // A stream asks for a WebSocket next, a workspace for a worker.
        case .allowed where AccessStage.knows(row):
            #expect(status < 300 || [409, 426, 503].contains(status), "\(what)")
        case .allowed: #expect(![401, 403, 404].contains(status) && (status < 500 || status == 503), "\(what)")
        }
    }
}
