import Core
import HTTP
import Log
import Platform

extension Endpoints {
    /// A job's log live over a WebSocket: `GET /v1/jobs/{id}/stream?after=ATTEMPT.SEQ`.
    func streamJob(_ request: HTTPRequest, _ call: JobCall) async throws -> HTTPResponse {
        let query = try QueryReader(request, allowed: ["after"])
        let after = try query.position("after") ?? .start
        return HTTPResponse(
            status: 101,
            body: .webSocket(subprotocol: call.subprotocol, limits: WebSocketLimits()) { [self] channel in
                await stream(call.job.id, after: after, call.principal, to: channel)
            }
        )
    }

    private func stream(
        _ job: JobID,
        after: LogPosition,
        _ principal: Principal,
        to channel: any WebSocketChannel
    ) async {
        let follower = hub.follow(job, after: after, encodeJob: JobView.document)
        hold(follower, signIn: principal.signIn) { [loop = services.loop] in
            follower.close()
            loop.spawnLocal { await channel.close(code: StreamCloseCode.revoked, reason: "the sign-in was revoked") }
        }
        // A viewer sends nothing but pings and its close.
        channel.dropsMessages = true
        channel.onDisconnect = { follower.close() }
        let viewer = StreamViewer(follower, channel, loop: services.loop) { [self] in await mayGoOn(principal) }
        await viewer.run()
        release(follower)
        follower.close()
        await channel.close(code: viewer.closeCode, reason: viewer.closeReason)
    }
}

/// How a stream's WebSocket closes.
enum StreamCloseCode {
    /// The job is final and everything was sent.
    static let ended: UInt16 = 1000
    /// Come back with the last position.
    static let tryAgain: UInt16 = 1013
    /// The sign-in behind the stream was revoked.
    static let revoked: UInt16 = 4401
}
