import Bytes
import Core
import HTTP
import Platform
import TestSupport
import Testing

@Suite struct DeviceTests {
    @Test func `a person sees the own devices, newest first, and which one asks`() async throws {
        try await withAPI { world in
            let (mine, theirs) = (try await world.person(), try await world.person())
            let phone = try await world.device(of: mine, "phone")
            world.time.advance(by: .seconds(5))
            let laptop = try await world.device(of: mine, "laptop")
            _ = try await world.device(of: theirs, "theirs")
            let answer = try await world.send(.get, "/v1/me/devices", token: phone.token)
            #expect(answer.status == 200)
            let items = try #require(answer.json["items"]?.array)
            #expect(items.map { $0["id"]?.string } == [laptop.id.description, phone.id.description])
            #expect(items.map { $0["name"]?.string } == ["laptop", "phone"])
            #expect(items.map { $0["current"]?.bool } == [false, true])
            let first = try #require(items.first?.object)
            #expect(
                first.members.map(\.name) == [
                    "id", "name", "client_id", "scopes", "address", "user_agent", "created_at", "last_used_at",
                    "expires_at",
                    "current",
                ]
            )
            #expect(items.first?["address"]?.string == "192.0.2.1")
            let page = try await world.send(.get, "/v1/me/devices?limit=1", token: phone.token)
            let cursor = try #require(page.json["next_cursor"]?.string)
            let rest = try await world.send(.get, "/v1/me/devices?limit=1&cursor=\(cursor)", token: phone.token)
            #expect(rest.json["items"]?.array?.map { $0["name"]?.string } == ["phone"])
            #expect(rest.json["next_cursor"] == .null)
        }
    }

    @Test func `item 24: a revoked device is refused at once on every replica, its tokens dead and its streams cut`()
        async throws
    {
        try await withAPI(replicas: 2) { world in
            let person = try await world.person()
            let job = try await world.job(of: person).id
            let kept = try await world.device(of: person, "kept")
            let lost = try await world.signIn(person, device: "lost")
            let devices = try await world.send(.get, "/v1/me/devices", token: lost.access)
            let current = devices.json["items"]?.array?.first { $0["current"]?.bool == true }
            let id = try #require(current?["id"]?.string)
            let watchers = [
                try await Watcher(job, token: lost.access, in: world, replica: 0),
                try await Watcher(job, token: lost.access, in: world, replica: 1),
            ]
            let bystander = try await Watcher(job, token: kept.token, in: world, replica: 1)
            for replica in 0...1 {
                #expect(try await world.send(.get, "/v1/me", token: lost.access, replica: replica).status == 200)
            }
            #expect(try await world.send(.delete, "/v1/me/devices/\(id)", token: kept.token).status == 204)
            for replica in 0...1 {
                let refused = try await world.send(.get, "/v1/me", token: lost.access, replica: replica)
                #expect(refused.status == 401 && refused.code == "unauthenticated")
                #expect(try await world.send(.get, "/v1/me", token: kept.token, replica: replica).status == 200)
            }
            for watcher in watchers { #expect(await watcher.ends(within: .seconds(1))) }
            #expect(!bystander.hasEnded)
            bystander.leave()
            let body = JSONValue.object(JSONObject([("refresh_token", .string(lost.refresh))]))
            #expect(try await world.send(.post, "/v1/auth/refresh", body).code == "refresh_refused")
            #expect(try await world.send(.delete, "/v1/me/devices/\(id)", token: kept.token).status == 404)
        }
    }

    @Test func `without the bus a revocation still holds within its second`() async throws {
        try await withAPI(replicas: 2) { world in
            let person = try await world.person()
            let (one, two) = (try await world.device(of: person), try await world.device(of: person))
            #expect(try await world.send(.get, "/v1/me", token: two.token, replica: 1).status == 200)
            world.bus.isAway = true
            #expect(try await world.send(.delete, "/v1/me/devices/\(two.id)", token: one.token).status == 204)
            await world.loop.sleep(.seconds(1))
            #expect(try await world.send(.get, "/v1/me", token: two.token, replica: 1).status == 401)
            #expect(try await world.send(.get, "/v1/me", token: one.token, replica: 1).status == 200)
        }
    }

    @Test func `another person's device, and what is none, are not there`() async throws {
        try await withAPI { world in
            let (mine, theirs) = (try await world.person(), try await world.person())
            let (one, other) = (try await world.device(of: mine), try await world.device(of: theirs))
            for name in [other.id.description, SignInID(at: world.time.now).description, "dev_x", "1"] {
                let answer = try await world.send(.delete, "/v1/me/devices/\(name)", token: one.token)
                #expect(answer.status == 404 && answer.code == "device_not_found", "\(name)")
            }
            #expect(try await world.send(.get, "/v1/me", token: other.token).status == 200)
            #expect(try await world.send(.delete, "/v1/me/devices/\(other.id)", token: other.token).status == 204)
            #expect(try await world.send(.get, "/v1/me", token: other.token).status == 401)
        }
    }

    @Test func `item 24: signing all devices out keeps the present one, unless that is asked for too`() async throws {
        try await withAPI { world in
            let (mine, theirs) = (try await world.person(), try await world.person())
            let here = try await world.device(of: mine)
            let others = [try await world.device(of: mine), try await world.device(of: mine)]
            let stranger = try await world.device(of: theirs)
            let path = "/v1/me/devices/revoke-all"
            let first = try await world.send(.post, path, token: here.token)
            #expect(first.status == 200 && first.json["revoked"]?.integer == 2)
            for other in others { #expect(try await world.send(.get, "/v1/me", token: other.token).status == 401) }
            #expect(try await world.send(.get, "/v1/me", token: here.token).status == 200)
            #expect(try await world.send(.post, path, token: here.token).json["revoked"]?.integer == 0)
            let odd = try await world.send(.post, path, .object(JSONObject([("all", .bool(true))])), token: here.token)
            #expect(odd.status == 400 && odd.code == "unknown_fields")
            let text = JSONValue.object(JSONObject([("include_current", .string("yes"))]))
            #expect(try await world.send(.post, path, text, token: here.token).status == 422)
            let all = JSONValue.object(JSONObject([("include_current", .bool(true))]))
            #expect(try await world.send(.post, path, all, token: here.token).json["revoked"]?.integer == 1)
            #expect(try await world.send(.get, "/v1/me", token: here.token).status == 401)
            #expect(try await world.send(.get, "/v1/me", token: stranger.token).status == 200)
        }
    }
}
