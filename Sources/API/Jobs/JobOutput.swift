import Core
import HTTP
import Log

extension Endpoints {
    /// The raw standard output of a command, or an agent's answer: `GET /v1/jobs/{id}/output`, with `Range`.
    func jobOutput(_ request: HTTPRequest, _ call: JobCall) async throws -> HTTPResponse {
        let job = call.job
        let query = try QueryReader(request, allowed: ["attempt"])
        let attempt = try query.attempt(of: job)
        let length = try await services.log.length(attempt, stream: .stdout)
        let range = try ByteRange.parse(request.headers["range"], length: length)
        var response = HTTPResponse(
            status: range.isPartial ? 206 : 200,
            body: .stream(length: Int(range.count)) { [services] writer in
                var pieces = OutputRange(attempt, from: range.start, to: range.end, store: services.log)
                while let piece = try await pieces.next() { try await writer.write(piece) }
            }
        )
        response.headers.append(name: "content-type", value: "application/octet-stream")
        response.headers.append(name: "accept-ranges", value: "bytes")
        if range.isPartial {
            response.headers.append(
                name: "content-range",
                value: "bytes \(range.start)-\(range.end - 1)/\(job.state.isFinal ? String(length) : "*")"
            )
        }
        return response
    }

    /// The agent's own messages, one JSON line each: `GET /v1/jobs/{id}/transcript`.
    func jobTranscript(_ request: HTTPRequest, _ call: JobCall) async throws -> HTTPResponse {
        let query = try QueryReader(request, allowed: ["attempt"])
        let attempt = try query.attempt(of: call.job)
        var response = HTTPResponse(
            status: 200,
            body: .stream(length: nil) { [services] writer in
                var transcript = Transcript(attempt, store: services.log)
                while let piece = try await transcript.next() { try await writer.write(piece) }
            }
        )
        response.headers.append(name: "content-type", value: "application/x-ndjson")
        return response
    }
}
