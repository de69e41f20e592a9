import Bytes
import Core
import HTTP
import Platform
import Testing

@testable import API

@Suite struct StreamRightTests {
    private static func ticket(_ token: String, in world: APIWorld) async throws -> (String, String) {
        let answer = try await world.send(.post, "/v1/stream-tickets", token: token)
        return ("sec-websocket-protocol", try #require(answer.json["subprotocol"]?.string))
    }

    @Test func `a ticket is spent by the stream that opens, not by a handshake that is refused`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let job = try await world.job(of: person).id
            let offer = try await Self.ticket(try await world.device(of: person).token, in: world)
            let elsewhere = JobID(at: world.time.now)
            #expect(await JobSocket(elsewhere, [offer], in: world).code == "job_not_found")
            #expect(await JobSocket(job, [offer], query: "?after=x", in: world).code == "malformed_parameter")
            #expect(await JobSocket(job, [offer, ("origin", "https://evil.example")], in: world).status == 403)
            #expect(await JobSocket(job, [offer], without: "upgrade", in: world).code == "upgrade_required")
            #expect(
                await JobSocket(job, [offer], without: "sec-websocket-key", in: world).code == "malformed_handshake"
            )
            #expect(await JobSocket(job, [offer], allowsUpgrade: false, in: world).code == "malformed_handshake")
            let opened = await JobSocket(job, [offer], in: world)
            #expect(opened.status == 101)
            #expect(await JobSocket(job, [offer], in: world).code == "ticket_refused")
            await opened.leave()
        }
    }

    @Test func `of many that bring one ticket at once one gets in`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let job = try await world.job(of: person).id
            let offer = try await Self.ticket(try await world.device(of: person).token, in: world)
            let done = LoopCondition()
            var sockets: [JobSocket] = []
            for _ in 0..<8 {
                world.loop.spawnLocal {
                    sockets.append(await JobSocket(job, [offer], in: world))
                    done.signalAll()
                }
            }
            while sockets.count < 8 { await done.wait() }
            #expect(sockets.count { $0.status == 101 } == 1)
            #expect(sockets.count { $0.code == "ticket_refused" } == 7)
            for socket in sockets { await socket.leave() }
        }
    }

    @Test func `signing out closes its WebSockets with 4401, and tells the readers of its events`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let job = try await world.job(of: person).id
            let (mine, other) = (try await world.device(of: person), try await world.device(of: person))
            let socket = try await JobSocket.opened(job, mine.token, in: world)
            let events = try await Watcher(job, token: mine.token, in: world)
            let bystander = try await JobSocket.opened(job, other.token, in: world)
            #expect(try await world.send(.post, "/v1/auth/logout", token: mine.token).status == 204)
            #expect(await socket.closes(with: 4401))
            #expect(await events.ends(within: .seconds(5)))
            #expect(events.text.hasSuffix("event: end\ndata: " + Self.end("revoked", StreamEnd.revoked.text)))
            #expect(bystander.channel.closed == nil)
            await bystander.leave()
        }
    }

    @Test func `a stream ends with its token, and one with a younger token goes on`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let job = try await world.job(of: person).id
            let old = try await world.device(of: person)
            let offer = try await Self.ticket(old.token, in: world)
            let socket = try await JobSocket.opened(job, old.token, in: world)
            let events = try await Watcher(job, token: old.token, in: world)
            world.time.advance(by: .seconds(10))
            // A ticket gives the time of a token made when it is used.
            let byTicket = await JobSocket(job, [offer], in: world)
            world.time.advance(by: .seconds(889))
            await world.replicas[0].endpoints.endStreams()
            #expect(socket.channel.closed == nil && !events.hasEnded)
            world.time.advance(by: .seconds(1))
            await world.replicas[0].endpoints.endStreams()
            #expect(await socket.closes(with: 4401))
            #expect(await events.ends(within: .seconds(5)))
            #expect(events.text.hasSuffix("event: end\ndata: " + Self.end("token_expired", StreamEnd.expired.text)))
            #expect(byTicket.channel.closed == nil)
            world.time.advance(by: .seconds(10))
            await world.replicas[0].endpoints.endStreams()
            #expect(await byTicket.closes(with: 4401))
        }
    }

    @Test func `a stream that was given a newer token belongs to it`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let job = try await world.job(of: person).id
            let first = try await world.device(of: person)
            let socket = try await JobSocket.opened(job, first.token, in: world)
            world.time.advance(by: .seconds(600))
            let second = try await world.device(of: person)
            socket.say(#"{"type":"auth","access_token":"\#(second.token)"}"#)
            #expect(await socket.shows(#"{"type":"auth_ok","expires_in":900}"#))
            #expect(try await world.send(.post, "/v1/auth/logout", token: first.token).status == 204)
            world.time.advance(by: .seconds(899))
            await world.replicas[0].endpoints.endStreams()
            #expect(socket.channel.closed == nil)
            #expect(try await world.send(.post, "/v1/auth/logout", token: second.token).status == 204)
            #expect(await socket.closes(with: 4401))
        }
    }

    @Test func `a token of somebody else, of an ended sign-in or of long ago keeps no stream open`() async throws {
        try await withAPI { world in
            let (person, stranger) = (try await world.person(), try await world.person())
            let job = try await world.job(of: person).id
            let (ended, past) = (try await world.device(of: person), try await world.device(of: person))
            #expect(try await world.send(.post, "/v1/auth/logout", token: ended.token).status == 204)
            world.time.advance(by: .seconds(900))
            let theirs = try await world.device(of: stranger)
            for token in [theirs.token, ended.token, past.token, past.token + "x", ""] {
                let socket = try await JobSocket.opened(job, try await world.device(of: person).token, in: world)
                socket.say(#"{"type":"auth","access_token":"\#(token)"}"#)
                #expect(await socket.closes(with: 4401))
            }
        }
    }

    private static func end(_ code: String, _ text: String) -> String {
        #"{"type":"end","code":"\#(code)","message":"\#(text)"}"# + "\n\n"
    }
}
