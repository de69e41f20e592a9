import Bytes
import HTTP
import Platform

/// An answer as a client would have it.
struct APIAnswer {
    let status: Int
    let headers: HTTPHeaders
    let body: [UInt8]

    /// Takes a response, running a streamed body to its end.
    init(_ response: HTTPResponse, on loop: EventLoop) async throws {
        status = response.status
        headers = response.headers
        switch response.body {
        case .empty, .webSocket: body = []
        case .bytes(let bytes): body = bytes
        case .stream(_, let write):
            let collector = BodyCollector()
            try await write(collector)
            body = collector.bytes
        }
    }

    var json: JSONValue { (try? JSONReader.parse(body)) ?? .null }
    var text: String { String(decoding: body, as: UTF8.self) }
    /// Everything that tells it from another answer: status, body and fields, without the identifier and the wait.
    var shape: String {
        let members = json.object?.members.filter { $0.name != "request_id" }.map { "\($0.name)=\($0.value.encoded())" }
        let fields = ["content-type", "www-authenticate"].map { headers[$0] ?? "" }
        return "\(status) \(members ?? [text]) \(fields) \(headers.count)"
    }
    var code: String? { json["code"]?.string }
}

/// Takes a streamed body whole.
final class BodyCollector: ResponseBodyWriter {
    private(set) var bytes: [UInt8] = []
    var isOpen = true
    /// Told of each write.
    var onWrite: () -> Void = {}

    func write(_ more: [UInt8]) async throws(DisconnectedError) {
        guard isOpen else { throw DisconnectedError("the test has gone") }
        bytes += more
        onWrite()
    }
}
