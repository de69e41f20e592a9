import Bytes
import Core
import HTTP
import Log
import Platform
import TestSupport
import Testing

@testable import API

@Suite struct StreamViewerTests {
    @Test func `records pass while the token lasts, and none after its end`() async throws {
        try await ViewedJob.run { viewed in
            viewed.write("before")
            await viewed.until { viewed.channel.holds("before") }
            viewed.clock.advance(by: .seconds(899))
            viewed.write("in time")
            await viewed.until { viewed.channel.holds("in time") }
            viewed.clock.advance(by: .seconds(1))
            viewed.write("too late")
            await viewed.ended()
            #expect(viewed.channel.closed?.code == 4401)
            #expect(viewed.channel.closed?.reason.contains("expired") == true)
            #expect(!viewed.channel.holds("too late"))
        }
    }

    @Test func `a newer token keeps the stream open, and is answered with its time`() async throws {
        try await ViewedJob.run { viewed in
            viewed.clock.advance(by: .seconds(870))
            viewed.rights.tokens["fresh"] = .success(viewed.principal(signIn: viewed.otherSignIn))
            viewed.say(#"{"type":"auth","access_token":"fresh"}"#)
            await viewed.until { viewed.channel.holds("auth_ok") }
            #expect(viewed.channel.texts.contains(#"{"type":"auth_ok","expires_in":900}"#))
            viewed.clock.advance(by: .seconds(600))
            viewed.write("under the new token")
            await viewed.until { viewed.channel.holds("under the new token") }
            #expect(viewed.viewer.principal.standing == .signIn(viewed.otherSignIn))
            viewed.clock.advance(by: .seconds(300))
            viewed.write("too late")
            await viewed.ended()
            #expect(viewed.channel.closed?.code == 4401)
        }
    }

    @Test(arguments: [
        #"{"type":"auth","access_token":"bad"}"#, #"{"type":"auth","access_token":"strangers"}"#,
        #"{"type":"auth","access_token":"elsewhere"}"#, #"{"type":"auth"}"#, #"{"type":"auth","access_token":1}"#,
    ])
    func `a token that is no good, or another person's, ends the stream`(_ message: String) async throws {
        try await ViewedJob.run { viewed in
            viewed.rights.tokens["strangers"] = .success(viewed.principal(user: UserID(at: viewed.clock.now)))
            viewed.rights.tokens["elsewhere"] = .failure(ProblemError(.missing("job")))
            viewed.say(message)
            await viewed.ended()
            #expect(viewed.channel.closed?.code == 4401)
            #expect(!viewed.channel.holds("auth_ok"))
        }
    }

    @Test(arguments: ["hello", "{", "[]", #"{"type":"dance"}"#, #"{"access_token":"fresh"}"#, ""])
    func `other messages are ignored`(_ message: String) async throws {
        try await ViewedJob.run { viewed in
            viewed.say(message)
            viewed.viewer.take(.binary(Array(message.utf8)))
            viewed.write("still here")
            await viewed.until { viewed.channel.holds("still here") }
            #expect(viewed.channel.closed == nil)
            #expect(viewed.rights.asked == 0)
        }
    }

    @Test func `a token that cannot be checked now asks to come again`() async throws {
        try await ViewedJob.run { viewed in
            viewed.rights.tokens["fresh"] = .failure(StoreError.unavailable("away"))
            viewed.say(#"{"type":"auth","access_token":"fresh"}"#)
            await viewed.ended()
            #expect(viewed.channel.closed?.code == 1013)
        }
    }

    @Test func `one token is checked at a time`() async throws {
        try await ViewedJob.run { viewed in
            viewed.rights.tokens["fresh"] = .success(viewed.principal())
            viewed.rights.isHeld = true
            viewed.say(#"{"type":"auth","access_token":"fresh"}"#)
            await viewed.until { viewed.rights.asked == 1 }
            viewed.say(#"{"type":"auth","access_token":"fresh"}"#)
            viewed.rights.isHeld = false
            viewed.rights.released.signalAll()
            await viewed.ended()
            #expect(viewed.channel.closed?.code == 1008)
            #expect(viewed.rights.asked == 1)
        }
    }

    @Test(arguments: [StreamEnd.revoked, .expired]) func `a cut reaches a viewer who takes nothing`(
        _ end: StreamEnd
    ) async throws {
        try await ViewedJob.run { viewed in
            viewed.channel.isStalled = true
            viewed.write("never taken")
            await viewed.until { viewed.channel.isSending }
            viewed.viewer.cut(end)
            await viewed.until { viewed.channel.closed != nil }
            #expect(viewed.channel.closed?.code == 4401)
            #expect(viewed.channel.closed?.reason == end.text)
            await viewed.ended()
        }
    }

    @Test func `a job that is over closes with 1000`() async throws {
        try await ViewedJob.run { viewed in
            viewed.finish()
            await viewed.ended()
            #expect(viewed.channel.closed?.code == 1000)
            #expect(viewed.channel.holds("job:completed"))
        }
    }
}
