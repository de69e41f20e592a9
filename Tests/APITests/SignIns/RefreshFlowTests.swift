import Auth
import Bytes
import Core
import HTTP
import Platform
import Testing

@testable import API

@Suite struct RefreshFlowTests {
    private static func refresh(
        _ token: String,
        in world: APIWorld,
        _ more: [(String, JSONValue)] = [],
        address: String = "192.0.2.1",
        userAgent: String? = nil,
        replica: Int = 0
    ) async throws -> APIAnswer {
        let members: [(String, JSONValue)] = [("refresh_token", .string(token))]
        return try await world.send(
            .post,
            "/v1/auth/refresh",
            .object(JSONObject(members + more)),
            address: address,
            headers: userAgent.map { [("user-agent", $0)] } ?? [],
            replica: replica
        )
    }

    /// Whether an access token opens anything, asked on every replica.
    private static func opens(_ access: String, in world: APIWorld) async throws -> Bool {
        var answers: Set<Int> = []
        for replica in world.replicas.indices {
            answers.insert(try await world.send(.get, "/v1/me", token: access, replica: replica).status)
        }
        try #require(answers.count == 1, "the replicas disagree")
        return answers == [200]
    }

    @Test func `item 16: a refresh token is replaced; the new pair works, the old token does not after its window`()
        async throws
    {
        try await withAPI { world in
            let first = try await world.signIn(try await world.person())
            world.time.advance(by: .seconds(60))
            let second = try APITokens(try await Self.refresh(first.refresh, in: world))
            #expect(second.refresh != first.refresh && second.access != first.access)
            #expect(try await Self.opens(second.access, in: world))
            #expect(try await Self.opens(first.access, in: world))
            world.time.advance(by: .seconds(31))
            let third = try APITokens(try await Self.refresh(second.refresh, in: world))
            #expect(try await Self.opens(third.access, in: world))
        }
    }

    @Test(arguments: [(29, true), (30, false), (31, false)])
    func `item 17: the parent is forgiven within its window; after it the family is dead, and it is recorded and told`(
        seconds: Int,
        isForgiven: Bool
    ) async throws {
        try await withAPI(replicas: 2) { world in
            let person = try await world.person()
            let first = try await world.signIn(person, device: "laptop")
            let second = try APITokens(try await Self.refresh(first.refresh, in: world))
            let job = try await world.job(of: person).id
            let watcher = try await Watcher(job, token: second.access, in: world, replica: 1)
            world.time.advance(by: .seconds(seconds))
            let thief = (address: "203.0.113.66", agent: "thief/1.0")
            let again = try await Self.refresh(
                first.refresh,
                in: world,
                address: thief.address,
                userAgent: thief.agent
            )
            guard !isForgiven else {
                #expect(try APITokens(again).refresh == second.refresh)
                #expect(try await Self.opens(second.access, in: world))
                return watcher.leave()
            }
            #expect(again.status == 401 && again.code == "refresh_refused")
            #expect(try await Self.refresh(second.refresh, in: world).code == "refresh_refused")
            for access in [first.access, second.access] { #expect(try await !Self.opens(access, in: world)) }
            #expect(await watcher.ends(within: .seconds(1)))
            let act = try #require(try await world.acts().last)
            #expect(act.action == "token.reuse_detected" && act.outcome == .refused && act.actor == .stranger)
            let devices = try await world.device(of: person)
            #expect(act.target?.hasPrefix("dev_") == true && act.target != devices.id.description)
            let notices = try await world.send(.get, "/v1/me/notices", token: devices.token)
            let notice = try #require(notices.json["items"]?.array?.first)
            #expect(notice["kind"]?.string == "token_reuse" && notice["device_name"]?.string == "laptop")
            #expect(notice["device_id"]?.string == act.target)
            // Who came with the stolen token, not whose it was.
            #expect(notice["address"]?.string == thief.address && notice["user_agent"]?.string == thief.agent)
        }
    }

    @Test func `item 18: a grandparent ends the family also within the window`() async throws {
        try await withAPI { world in
            let first = try await world.signIn(try await world.person())
            let second = try APITokens(try await Self.refresh(first.refresh, in: world))
            let third = try APITokens(try await Self.refresh(second.refresh, in: world))
            #expect(try await Self.refresh(first.refresh, in: world).status == 401)
            #expect(try await !Self.opens(third.access, in: world))
            #expect(try await Self.refresh(third.refresh, in: world).status == 401)
        }
    }

    @Test func `item 19: fifty refreshes at once on two replicas get one successor`() async throws {
        try await withAPI(replicas: 2) { world in
            let first = try await world.signIn(try await world.person())
            var answers: [APIAnswer] = []
            let done = LoopCondition()
            for index in 0..<50 {
                world.loop.spawnLocal {
                    if let answer = try? await Self.refresh(first.refresh, in: world, replica: index % 2) {
                        answers.append(answer)
                    }
                    done.signalAll()
                }
            }
            let end = world.loop.now.advanced(by: .seconds(30))
            while answers.count < 50, world.loop.now < end { _ = await done.wait(timeout: .seconds(1), on: world.loop) }
            #expect(answers.count == 50)
            let successors = Set(try answers.map { try APITokens($0).refresh })
            #expect(successors.count == 1)
            let successor = try #require(successors.first)
            #expect(try await Self.refresh(successor, in: world).status == 200)
        }
    }

    @Test func `item 20: whoever lost the answer gets the same successor from another server`() async throws {
        try await withAPI { world in
            let first = try await world.signIn(try await world.person())
            // Committed, and never received: the process that answered is gone.
            let lost = try APITokens(try await Self.refresh(first.refresh, in: world))
            let fresh = world.addReplica()
            let again = try APITokens(try await Self.refresh(first.refresh, in: world, replica: fresh))
            #expect(again.refresh == lost.refresh)
            #expect(try await Self.refresh(again.refresh, in: world, replica: fresh).status == 200)
        }
    }

    @Test func `item 21: another client with the token ends the family`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let first = try await world.signIn(person)
            let own = try await Self.refresh(first.refresh, in: world, [("client_id", .string("errand"))])
            let second = try APITokens(own)
            let other = try await Self.refresh(second.refresh, in: world, [("client_id", .string("elsewhere"))])
            #expect(other.status == 401 && other.code == "refresh_refused")
            #expect(try await !Self.opens(second.access, in: world))
            #expect(try await Self.refresh(second.refresh, in: world).status == 401)
            #expect(try await world.acts().last?.action == "token.reuse_detected")
        }
    }

    @Test func `item 22: a refresh widens no scope`() async throws {
        try await withAPI { world in
            let first = try await world.signIn(try await world.person())
            for scope in ["admin", "all admin", "ALL", "jobs:read"] {
                let answer = try await Self.refresh(first.refresh, in: world, [("scope", .string(scope))])
                #expect(answer.status == 400 && answer.code == "invalid_scope", "\(scope)")
            }
            let same = try APITokens(try await Self.refresh(first.refresh, in: world, [("scope", .string("all"))]))
            #expect(try await Self.opens(same.access, in: world))
        }
    }

    @Test func `the absolute end of a sign-in is the end of its tokens, and refreshing never moves it`() async throws {
        try await withAPI { world in
            let first = try await world.signIn(try await world.person())
            let end = world.time.now.adding(RefreshToken.lifetime)
            world.time.now = end.adding(.seconds(-10))
            let answer = try await Self.refresh(first.refresh, in: world)
            #expect(answer.json["expires_in"]?.integer == 10)
            let last = try APITokens(answer)
            #expect(try await Self.opens(last.access, in: world))
            world.time.now = end
            #expect(try await world.send(.get, "/v1/me", token: last.access).status == 401)
            #expect(try await Self.refresh(last.refresh, in: world).code == "refresh_refused")
        }
    }

    @Test func `item 23: unknown, expired and reused tokens get one answer`() async throws {
        try await withAPI { world in
            let first = try await world.signIn(try await world.person())
            let second = try APITokens(try await Self.refresh(first.refresh, in: world))
            world.time.advance(by: .seconds(60))
            var answers: [APIAnswer] = []
            answers.append(try await Self.refresh(first.refresh, in: world))
            answers.append(try await Self.refresh(second.refresh, in: world))
            answers.append(try await Self.refresh(RefreshToken.make().token, in: world))
            answers.append(try await Self.refresh("nonsense", in: world))
            #expect(Set(answers.map(\.shape)).count == 1)
            #expect(answers.first?.status == 401)
        }
    }
}
