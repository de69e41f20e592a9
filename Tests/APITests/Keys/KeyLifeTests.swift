import Auth
import Bytes
import Core
import Crypto
import HTTP
import Platform
import Store
import TestSupport
import Testing

@testable import API

@Suite struct KeyLifeTests {
    @Test func `item 51: a key is shown once, kept as a hash, and works until it is revoked`() async throws {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let answer = try await stage.ask(["jobs:read"])
            #expect(answer.status == 201)
            let secret = try #require(answer.json["secret"]?.string)
            #expect(APIKeyToken.parse(secret) != nil)
            let id = try #require(answer.json["key"]?["id"]?.string.flatMap { APIKeyID($0) })
            let shown = try #require(try await stage.shown(id))
            #expect(shown.encoded() == answer.json["key"]?.encoded())
            #expect(shown["hint"]?.string == String(secret.prefix(11)))
            #expect(shown["acts_for"]?.string == stage.owner.user.id.description)
            let list = try await world.send(.get, stage.path, token: stage.token)
            #expect(!list.text.contains(secret) && !list.text.contains("secret"))
            #expect(
                try await world.store.apiKeys.useKey(hash: Digest.sha256([UInt8](secret.utf8)), now: world.time.now)
                    != nil
            )
            #expect(try await stage.reads(secret) == 200)
            #expect(try await world.send(.delete, "\(stage.path)/\(id)", token: stage.token).status == 204)
            let dead = try await world.send(.get, "/v1/jobs/\(stage.job.id)", token: secret)
            #expect(dead.status == 401 && dead.code == "key_refused")
            // It stays on the list for a month, as what it is.
            #expect(try await stage.shown(id)?["revoked_at"]?.string == world.time.now.rfc3339)
            #expect(answer.json["key"]?["revoked_at"] == .null && answer.json["key"]?["expires_at"] == .null)
            #expect(try await world.send(.delete, "\(stage.path)/\(id)", token: stage.token).status == 404)
            let actions = try await world.acts(of: stage.team).map(\.action)
            #expect(actions.suffix(2) == ["api_key.created", "api_key.revoked"])
        }
    }

    @Test
    func `item 51: a key that is mistyped is refused before any query, an unknown one costs its address one each`()
        async throws
    {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let secret = try await stage.key(["jobs:read"]).secret
            let mistyped = String(secret.dropLast()) + (secret.hasSuffix("0") ? "1" : "0")
            let before = world.keyStore.uses
            for bad in [mistyped, "errand_", "errand_x", secret + "0"] {
                let answer = try await world.send(.get, "/v1/jobs/\(stage.job.id)", token: bad)
                #expect(answer.status == 401 && answer.code == "key_refused", "\(bad)")
            }
            #expect(world.keyStore.uses == before)
            var statuses: [Int] = []
            for _ in 0..<120 {
                statuses.append(try await world.send(.get, "/v1/jobs", token: APIKeyToken.make().token).status)
            }
            #expect(statuses.contains(429) && Set(statuses) == [401, 429])
            // Strangers' guesses cost the good key's owner nothing, also at the same address once it is known here.
            #expect(try await world.send(.get, "/v1/jobs", token: secret, address: "192.0.2.9").status == 200)
            #expect(try await world.send(.get, "/v1/jobs", token: secret).status == 200)
        }
    }

    @Test func `item 51: last use is noted to the minute, without a query per request`() async throws {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let (id, secret) = try await stage.key(["jobs:read"])
            #expect(try await stage.shown(id)?["last_used_at"] == .null)
            world.time.advance(by: .seconds(1))
            let first = world.time.now.rfc3339
            let before = world.keyStore.uses
            for _ in 0..<20 { #expect(try await stage.reads(secret) == 200) }
            #expect(world.keyStore.uses <= before + 2)
            #expect(try await stage.shown(id)?["last_used_at"]?.string == first)
            for (seconds, isNew) in [(59, false), (2, true)] {
                world.time.advance(by: .seconds(seconds))
                world.bus.publish(BusChannel.revoked, [])
                #expect(try await stage.reads(secret) == 200)
                let shown = try await stage.shown(id)?["last_used_at"]?.string
                #expect((shown != first) == isNew, "\(seconds)")
            }
        }
    }

    @Test func `item 51: a key ends when it expires, to the millisecond`() async throws {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let (id, secret) = try await stage.key(["jobs:read"], [("expires_in_days", .integer(1))])
            world.time.advance(by: .seconds(86_400) - .milliseconds(1))
            let token = try await world.device(of: stage.owner).token
            #expect(try await stage.reads(secret) == 200)
            world.time.advance(by: .milliseconds(1))
            #expect(try await stage.reads(secret) == 401)
            let list = try await world.send(.get, stage.path, token: token)
            let shown = list.json["items"]?.array?.first { $0["id"]?.string == id.description }
            #expect(shown?["has_expired"]?.bool == true)
            for days in [0, 367, -1] {
                let token = try await world.device(of: stage.owner).token
                let odd = try await stage.ask(["jobs:read"], [("expires_in_days", .integer(Int64(days)))], by: token)
                #expect(odd.status == 422, "\(days)")
            }
        }
    }

    @Test func `a revocation holds at once on every replica, and cuts what the key watches`() async throws {
        try await withAPI(replicas: 2) { world in
            let stage = try await KeyStage(world)
            let (id, secret) = try await stage.key(["jobs:read"])
            let other = try await stage.key(["jobs:read"]).secret
            for replica in 0...1 { #expect(try await stage.reads(secret, replica: replica) == 200) }
            let cut = try await Watcher(stage.job.id, token: secret, in: world, replica: 1)
            let kept = try await Watcher(stage.job.id, token: other, in: world, replica: 1)
            #expect(try await world.send(.delete, "\(stage.path)/\(id)", token: stage.token).status == 204)
            for replica in 0...1 { #expect(try await stage.reads(secret, replica: replica) == 401) }
            #expect(await cut.ends(within: .seconds(1)))
            #expect(!kept.hasEnded)
            kept.leave()
        }
    }

    @Test func `item 51: a key dies with its maker's account, and does not live again with it`() async throws {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let member = try await world.person()
            try await world.join(member, stage.team, .member)
            let token = try await world.device(of: member).token
            let secret = try await stage.key(["jobs:read"], by: token, in: stage.team).secret
            let service = try await stage.serviceAccount("deployer", "member")
            let account = try #require(service.json["id"]?.string)
            let robot = try await stage.key(["jobs:read"], [("service_account_id", .string(account))]).secret
            #expect(try await stage.reads(secret) == 200)
            #expect(try await world.disable(member))
            world.bus.publish(BusChannel.revoked, [])
            #expect(try await stage.reads(secret) == 401)
            // Another one's key, and the one that this person did not make, go on.
            #expect(try await stage.reads(robot) == 200)
            #expect(try await world.disable(stage.owner))
            world.bus.publish(BusChannel.revoked, [])
            #expect(try await stage.reads(robot) == 401)
            // What whoever took an account over has made does not come back with it.
            for person in [member, stage.owner] { #expect(try await world.enable(person)) }
            world.bus.publish(BusChannel.revoked, [])
            for dead in [secret, robot] { #expect(try await stage.reads(dead) == 401) }
            let fresh = try await world.device(of: member).token
            let new = try await stage.key(["jobs:read"], by: fresh, in: stage.team).secret
            #expect(try await stage.reads(new) == 200)
        }
    }

    @Test(arguments: [false, true]) func `item 51: a member who goes takes their keys along at once, and for good`(
        leaves: Bool
    ) async throws {
        try await withAPI(replicas: 2) { world in
            let stage = try await KeyStage(world)
            let member = try await world.person()
            try await world.join(member, stage.team, .member)
            let token = try await world.device(of: member).token
            let (id, secret) = try await stage.key(["jobs:read"], by: token, in: stage.team)
            let kept = try await stage.key(["jobs:read"]).secret
            for replica in 0...1 { #expect(try await stage.reads(secret, replica: replica) == 200) }
            let members = "/v1/teams/\(stage.team.id)/members"
            let path = leaves ? "\(members)/me" : "\(members)/\(member.user.id)"
            let gone = try await world.send(.delete, path, token: leaves ? token : stage.token)
            #expect(gone.status == 204)
            for replica in 0...1 { #expect(try await stage.reads(secret, replica: replica) == 401) }
            try await world.join(member, stage.team, .member)
            for replica in 0...1 { #expect(try await stage.reads(secret, replica: replica) == 401) }
            #expect(try await stage.shown(id)?["revoked_at"]?.string != nil)
            #expect(try await stage.reads(kept) == 200)
            let again = try await stage.key(["jobs:read"], by: token, in: stage.team).secret
            #expect(try await stage.reads(again) == 200)
        }
    }

    @Test func `a rotation makes a successor; both work until the overlap is over`() async throws {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let old = try await stage.key(["jobs:read"], [("expires_in_days", .integer(30))])
            world.time.advance(by: .seconds(60))
            let answer = try await world.send(.post, "\(stage.path)/\(old.id)/rotate", token: stage.token)
            #expect(answer.status == 201)
            let new = try #require(answer.json["secret"]?.string)
            let id = try #require(answer.json["key"]?["id"]?.string)
            #expect(try await stage.reads(old.secret) == 200)
            #expect(try await stage.reads(new) == 200)
            let shown = try #require(try await stage.shown(old.id))
            #expect(shown["replaced_by"]?.string == id)
            #expect(shown["expires_at"]?.string == world.time.now.adding(.seconds(86_400)).rfc3339)
            // As long as the old one was meant to live.
            #expect(answer.json["key"]?["expires_at"]?.string == world.time.now.adding(.seconds(30 * 86_400)).rfc3339)
            let again = try await world.send(.post, "\(stage.path)/\(old.id)/rotate", token: stage.token)
            #expect(again.status == 409 && again.code == "key_replaced")
            let third = try await world.send(.post, "\(stage.path)/\(id)/rotate", token: stage.token)
            #expect(third.status == 409 && third.code == "key_overlapping")
            world.time.advance(by: .seconds(86_400))
            #expect(try await stage.reads(old.secret) == 401)
            #expect(try await stage.reads(new) == 200)
            let token = try await world.device(of: stage.owner).token
            #expect(try await world.send(.post, "\(stage.path)/\(id)/rotate", token: token).status == 201)
        }
    }

    @Test func `a person's fifty keys are all of theirs, on as many pages as it takes, and leave others theirs`()
        async throws
    {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let viewer = try await world.person()
            try await world.join(viewer, stage.team, .viewer)
            let token = try await world.device(of: viewer).token
            var made: Set<String> = []
            for _ in 0..<APIKeyLimits.perPerson {
                made.insert(try await stage.key(["jobs:read"], by: token).id.description)
            }
            let more = try await stage.ask(["jobs:read"], by: token)
            #expect(more.status == 409 && more.code == "too_many_own_api_keys")
            _ = try await stage.key(["jobs:read"])
            var (seen, cursor) = (Set<String>(), "")
            repeat {
                let page = try await world.send(.get, "\(stage.path)?limit=20\(cursor)", token: token)
                let ids = page.json["items"]?.array?.compactMap { $0["id"]?.string } ?? []
                #expect(ids.count <= 20 && seen.isDisjoint(with: ids))
                seen.formUnion(ids)
                cursor = page.json["next_cursor"]?.string.map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            #expect(seen == made)
        }
    }

    @Test func `an overlap is from nothing to seven days`() async throws {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let old = try await stage.key(["jobs:read"])
            for seconds in [-1, 604_801] {
                let body = JSONValue.members(["overlap_seconds": .integer(Int64(seconds))])
                let odd = try await world.send(.post, "\(stage.path)/\(old.id)/rotate", body, token: stage.token)
                #expect(odd.status == 422, "\(seconds)")
            }
            let watcher = try await Watcher(stage.job.id, token: old.secret, in: world)
            let body = JSONValue.members(["overlap_seconds": .integer(0), "expires_in_days": .integer(7)])
            let new = try await world.send(.post, "\(stage.path)/\(old.id)/rotate", body, token: stage.token)
            #expect(new.status == 201)
            #expect(try await stage.reads(old.secret) == 401)
            #expect(await watcher.ends(within: .seconds(1)))
            #expect(try await stage.reads(new.json["secret"]?.string ?? "") == 200)
            #expect(
                try await world.send(.post, "\(stage.path)/\(APIKeyID(at: world.time.now))/rotate", token: stage.token)
                    .status == 404
            )
        }
    }

    @Test(arguments: ["", "   ", "\u{200B}", "tab\tin it", "line\nbreak", String(repeating: "x", count: 101)])
    func `a name of a key or a service account can be seen, and fits`(name: String) async throws {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let form = JSONValue.members(["name": .string(name), "scopes": .strings(["jobs:read"])])
            let key = try await world.send(.post, stage.path, form, token: stage.token)
            #expect(key.status == 422 && key.json["errors"]?.array?.first?["pointer"]?.string == "/name")
            #expect(try await stage.serviceAccount(name, "viewer").status == 422)
            #expect(try await stage.serviceAccount("deployer", "viewer").status == 201)
        }
    }

    @Test(arguments: [
        #"{"name":"x"}"#, #"{"name":"x","scopes":[]}"#, #"{"name":"x","scopes":["jobs:everything"]}"#,
        #"{"name":"x","scopes":["jobs:read","jobs:read"]}"#, #"{"name":"x","scopes":"jobs:read"}"#,
        #"{"name":"x","scopes":["jobs:read"],"project_ids":[]}"#,
        #"{"name":"x","scopes":["jobs:read"],"project_ids":["prj"]}"#,
        #"{"name":"x","scopes":["jobs:read"],"service_account_id":"usr_1"}"#,
        #"{"name":"x","scopes":["jobs:read"],"expires_in_days":1.5}"#,
    ])
    func `a key that is not described well is 422 and is not made`(body: String) async throws {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let form = try JSONReader.parse(Array(body.utf8))
            #expect(try await world.send(.post, stage.path, form, token: stage.token).status == 422)
            let odd = try await stage.ask(["jobs:read"], [("issued_by", .string(stage.owner.user.id.description))])
            #expect(odd.status == 400 && odd.code == "unknown_fields")
            let list = try await world.send(.get, stage.path, token: stage.token)
            #expect(list.json["items"]?.array?.isEmpty == true)
        }
    }
}
