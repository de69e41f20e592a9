import Core
import HTTP
import Log
import Platform

extension Endpoints {
    /// A job's log live over a WebSocket: `GET /v1/jobs/{id}/stream?after=ATTEMPT.SEQ`.
    func streamJob(_ request: HTTPRequest, _ call: JobCall, _ entry: StreamEntry) async throws -> HTTPResponse {
        let query = try QueryReader(request, allowed: ["after"])
        let after = try query.position("after") ?? .start
        try after.require(in: call.job)
        try await open(entry, request)
        return HTTPResponse(
            status: 101,
            body: .webSocket(subprotocol: entry.subprotocol, limits: StreamViewer.limits) { [self] channel in
                await stream(after: after, call, to: channel)
            }
        )
    }

    private func stream(
        after: LogPosition,
        _ call: JobCall,
        to channel: any WebSocketChannel
    ) async {
        let follower = hub.follow(call.job.id, after: after, encodeJob: JobView.document)
        let viewer = StreamViewer(call.job.id, follower, channel, call.principal, rights: self)
        hold(viewer, of: call.job.teamID)
        channel.onMessage = { [weak viewer] in viewer?.take($0) }
        channel.onDisconnect = { follower.close() }
        await viewer.run()
        release(viewer)
        follower.close()
        await channel.close(code: viewer.closing.code, reason: viewer.closing.reason)
    }
}
