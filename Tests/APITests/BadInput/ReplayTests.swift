import API
import Auth
import Bytes
import Core
import HTTP
import Store
import Testing

/// What works once or for a time, brought again.
@Suite(.timeLimit(.minutes(5))) struct ReplayTests {
    private static func object(_ name: String, _ value: String) -> JSONValue {
        .object(JSONObject([(name, .string(value))]))
    }

    private static func refresh(
        _ token: String,
        in world: APIWorld,
        address: String = "192.0.2.1",
        replica: Int = 0
    ) async throws -> APIAnswer {
        let body = object("refresh_token", token)
        return try await world.send(.post, "/v1/auth/refresh", body, address: address, replica: replica)
    }

    /// How a refresh token comes to be one that is refused.
    enum Spent: CaseIterable, Sendable {
        case parentAfterItsWindow, grandparentAtOnce, signedOut, deviceRevoked, disabled, expired, neverGiven
    }

    @Test(arguments: Spent.allCases)
    func `items 16 to 18 and 24: a refresh token that was replaced or ended gets 401, and so does what it stood for`(
        spent: Spent
    ) async throws {
        try await withAPI(replicas: 2) { world in
            let person = try await world.person()
            let first = try await world.signIn(person)
            let control = try await world.signIn(person)
            var (presented, newest) = (first.refresh, first)
            switch spent {
            case .parentAfterItsWindow:
                newest = try APITokens(try await Self.refresh(first.refresh, in: world))
                world.time.advance(by: .seconds(30))
            case .grandparentAtOnce:
                let second = try APITokens(try await Self.refresh(first.refresh, in: world))
                newest = try APITokens(try await Self.refresh(second.refresh, in: world))
            case .signedOut:
                #expect(try await world.send(.post, "/v1/auth/logout", token: first.access).status == 204)
            case .deviceRevoked:
                let devices = try await world.send(.get, "/v1/me/devices", token: first.access).json["items"]?.array
                let id = try #require(devices?.first { $0["current"]?.bool == true }?["id"]?.string)
                #expect(try await world.send(.delete, "/v1/me/devices/\(id)", token: control.access).status == 204)
            case .disabled:
                let audit = AuditDraft(at: world.time.now, team: nil, actor: .system, action: "user.disabled")
                #expect(try await world.store.accounts.setDisabled(person.user.id, true, audit: audit))
            case .expired: world.time.advance(by: RefreshToken.lifetime)
            case .neverGiven: presented = RefreshToken.make().token
            }
            for replica in 0...1 {
                let answer = try await Self.refresh(presented, in: world, replica: replica)
                #expect(answer.status == 401 && answer.code == "refresh_refused", "\(answer.text)")
                #expect(!answer.text.contains(presented))
            }
            guard spent != .neverGiven else {
                #expect(try await Self.refresh(first.refresh, in: world).status == 200)
                return
            }
            for replica in 0...1 {
                let answer = try await Self.refresh(newest.refresh, in: world, replica: replica)
                #expect(answer.status == 401 && answer.code == "refresh_refused", "the newest: \(answer.text)")
                let use = try await world.send(.get, "/v1/me", token: newest.access, replica: replica)
                let code = spent == .expired ? "token_expired" : "unauthenticated"
                #expect(use.status == 401 && use.code == code, "its access token: \(use.text)")
            }
            // Another sign-in of the same person is none of its business, unless all of them ended.
            let other = try await Self.refresh(control.refresh, in: world)
            #expect(other.status == (spent == .disabled || spent == .expired ? 401 : 200))
        }
    }

    @Test(arguments: [2, 50])
    func `items 19 and 20: refreshes at once from one client make one successor, the same for all, and one sign-in`(
        count: Int
    ) async throws {
        try await withAPI(replicas: 2) { world in
            let first = try await world.signIn(try await world.person())
            let answers = try await world.atOnce(count) { number in
                try await Self.refresh(first.refresh, in: world, replica: number % 2)
            }
            #expect(answers.allSatisfy { $0.status == 200 })
            let tokens = try answers.map { try APITokens($0) }
            #expect(Set(tokens.map(\.refresh)).count == 1 && tokens[0].refresh != first.refresh)
            for token in tokens { #expect(try await world.send(.get, "/v1/me", token: token.access).status == 200) }
            let devices = try await world.send(.get, "/v1/me/devices", token: tokens[0].access)
            #expect(devices.json["items"]?.array?.count == 1)
            // Who lost the answer gets it again; the successor is good for one more generation.
            #expect(try APITokens(try await Self.refresh(first.refresh, in: world)).refresh == tokens[0].refresh)
            let next = try APITokens(try await Self.refresh(tokens[0].refresh, in: world))
            #expect(next.refresh != tokens[0].refresh)
        }
    }

    @Test func `a refresh token of any other form gets 401, and a body that is none its own answer`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let pair = try await world.signIn(person)
            let secret = String(pair.refresh.dropFirst(4))
            let wrong = [
                "x", "ert_", secret, "ERT_" + secret, "ert_" + secret.dropLast(), "ert_" + secret + "A",
                "ert_" + secret + "=", " " + pair.refresh, pair.refresh + "\r\n", "ert_" + secret.reversed(),
                String(pair.access.prefix(256)), InviteToken.make().token, pair.device ?? "", "ert_\u{fffd}", "ert_é",
            ]
            for token in wrong {
                let answer = try await Self.refresh(token, in: world)
                #expect(answer.status == 401 && answer.code == "refresh_refused", "\(token): \(answer.text)")
            }
            for token in ["", String(repeating: "a", count: 257), "ert_\0"] {
                let answer = try await Self.refresh(token, in: world)
                #expect(answer.status == 422 && answer.code == "invalid_fields", "\(token.count): \(answer.text)")
            }
            let more = JSONObject([("refresh_token", .string(pair.refresh)), ("user_id", .string("usr_1"))])
            let odd = try await world.send(.post, "/v1/auth/refresh", .object(more))
            #expect(odd.status == 400 && odd.code == "unknown_fields")
            #expect(try await Self.refresh(pair.refresh, in: world).status == 200)
        }
    }

    @Test func `an invitation's link works once, and its second use gets 404`() async throws {
        try await withAPI { world in
            let (owner, guest, late) = (try await world.person(), try await world.person(), try await world.person())
            let mine = try await world.device(of: owner).token
            let made = try await world.send(
                .post,
                "/v1/teams/\(owner.team.id)/invites",
                .object(JSONObject([])),
                token: mine
            )
            let link = try #require(made.json["url"]?.string)
            let body = Self.object("token", link)
            let path = "/v1/invites/accept"
            let theirs = try await world.device(of: guest).token
            #expect(try await world.send(.post, path, body, token: theirs).status == 200)
            for token in [theirs, try await world.device(of: late).token] {
                let again = try await world.send(.post, path, body, token: token)
                #expect(again.status == 404 && again.code == "invite_not_found")
            }
        }
    }

    @Test func `item 53: a stream ticket opens one stream, within thirty seconds, while its sign-in stands`()
        async throws
    {
        try await withAPI { world in
            let person = try await world.person()
            let job = try await world.job(of: person).id
            func offer(_ token: String) async throws -> (String, String) {
                let answer = try await world.send(.post, "/v1/stream-tickets", token: token)
                #expect(answer.status == 201)
                return ("sec-websocket-protocol", try #require(answer.json["subprotocol"]?.string))
            }
            let device = try await world.device(of: person)
            let used = try await offer(device.token)
            let opened = await JobSocket(job, [used], in: world)
            #expect(opened.status == 101)
            await opened.leave()
            let old = try await offer(device.token)
            let fresh = try await offer(device.token)
            let ended = try await world.device(of: person)
            let revoked = try await offer(ended.token)
            #expect(try await world.send(.post, "/v1/auth/logout", token: ended.token).status == 204)
            let refused = [
                used, revoked, (used.0, StreamTicket.subprotocolPrefix + StreamTicket.make().token),
                (used.0, StreamTicket.subprotocolPrefix), (used.0, used.1 + "A"),
            ]
            for field in refused {
                let socket = await JobSocket(job, [field], in: world)
                #expect(socket.status == 401 && socket.code == "ticket_refused", "\(field.1)")
            }
            let inQuery = await JobSocket(job, [], query: "?ticket=\(fresh.1)", in: world)
            #expect(inQuery.status == 401 && inQuery.code == "unauthenticated")
            world.time.advance(by: .milliseconds(29_999))
            let last = await JobSocket(job, [fresh], in: world)
            #expect(last.status == 101)
            await last.leave()
            world.time.advance(by: .milliseconds(1))
            let late = await JobSocket(job, [old], in: world)
            #expect(late.status == 401 && late.code == "ticket_refused")
        }
    }

    @Test func `a worker's enrolment token works once and in time, and gets 401 otherwise`() async throws {
        try await withAPI { world in
            func make(_ life: Duration) async throws -> String {
                let token = WorkerCredential.makeEnrolment()
                try await world.store.workers.createWorker(
                    WorkerID(at: world.time.now),
                    name: world.unique("worker"),
                    enrolmentHash: token.hash,
                    expiresAt: world.time.now.adding(life),
                    audit: AuditDraft(at: world.time.now, team: nil, actor: .system, action: "worker.created")
                )
                return token.token
            }
            func enrol(_ token: String) async throws -> APIAnswer {
                try await world.send(.post, "/v1/worker-link/enrol", Self.object("token", token))
            }
            let (good, late) = (try await make(.seconds(600)), try await make(.seconds(60)))
            let first = try await enrol(good)
            #expect(first.status == 201)
            world.time.advance(by: .seconds(60))
            let credential = try #require(first.json["credential"]?.string)
            for token in [good, late, credential, WorkerCredential.makeEnrolment().token, "x"] {
                let answer = try await enrol(token)
                #expect(answer.status == 401 && answer.code == "worker_refused", "\(answer.text)")
            }
            #expect(try await enrol(try await make(.seconds(60))).status == 201)
        }
    }
}
