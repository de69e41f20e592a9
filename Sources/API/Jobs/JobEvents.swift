import Core
import HTTP
import Log

extension Endpoints {
    /// A job's log live as server-sent events: `GET /v1/jobs/{id}/events`, resumed by `Last-Event-ID`.
    func jobEvents(_ request: HTTPRequest, _ call: JobCall) async throws -> HTTPResponse {
        let query = try QueryReader(request, allowed: ["after"])
        let after = try lastEventID(request) ?? query.position("after") ?? .start
        try after.require(in: call.job)
        var response = HTTPResponse(
            status: 200,
            body: .stream(length: nil) { [self] writer in
                try await sendEvents(after: after, call, to: writer)
            }
        )
        response.headers.append(name: "content-type", value: "text/event-stream")
        return response
    }

    private func sendEvents(
        after: LogPosition,
        _ call: JobCall,
        to writer: any ResponseBodyWriter
    ) async throws {
        let follower = hub.follow(call.job.id, after: after, encodeJob: JobView.document)
        let stream = EventStream(follower, call.principal)
        hold(stream, of: call.job.teamID)
        defer {
            release(stream)
            follower.close()
        }
        try await KeepAlive(writer, loop: services.loop) { follower.close() }.during { keepAlive in
            try await forward(stream, of: follower, to: writer, keepAlive)
        }
    }

    private func forward(
        _ stream: EventStream,
        of follower: LogFollower,
        to writer: any ResponseBodyWriter,
        _ keepAlive: KeepAlive
    ) async throws {
        while writer.isOpen {
            let events = try await follower.next()
            if stream.end == nil, !events.isEmpty { stream.end = await endOfStream(stream.principal) }
            if let end = stream.end {
                return try await keepAlive.write(ServerSentEvents.event(id: nil, event: "end", data: end.encoded))
            }
            guard !events.isEmpty else { return }
            var bytes: [UInt8] = []
            for event in events {
                bytes += ServerSentEvents.event(id: event.position?.description, event: nil, data: event.json)
            }
            try await keepAlive.write(bytes)
        }
    }

    private func lastEventID(_ request: HTTPRequest) throws -> LogPosition? {
        guard let text = request.headers["last-event-id"], !text.isEmpty else { return nil }
        guard let position = LogPosition(text) else {
            throw ProblemError(.malformedParameter("Last-Event-ID", "must be ATTEMPT.SEQ, such as 1.42"))
        }
        return position
    }
}

/// One response that watches a job by server-sent events.
private final class EventStream: LiveStream {
    private let follower: LogFollower
    let principal: Principal
    /// Why it has to end, once it has.
    var end: StreamEnd?

    init(_ follower: LogFollower, _ principal: Principal) {
        self.follower = follower
        self.principal = principal
    }

    func cut(_ end: StreamEnd) {
        self.end = end
        follower.close()
    }
}
