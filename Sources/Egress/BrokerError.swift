import Bytes
import HTTP

/// A refusal of the broker's own, in the form in which the model API refuses.
struct BrokerError: Error, Sendable, Equatable {
    let status: Int
    let message: String

    static let ended = BrokerError(status: 503, message: "this attempt has ended")
    static let tooLarge = BrokerError(status: 413, message: "the body is larger than 32 MB")

    init(status: Int, message: String) {
        self.status = status
        self.message = message
    }

    /// What a body that could not be read is answered with.
    init(_ error: BodyError) {
        let problem = Problem(error)
        self.init(status: problem.status, message: problem.title)
    }

    var response: HTTPResponse {
        var json = JSONWriter()
        json.beginObject()
        json.member("type", "error")
        json.key("error")
        json.beginObject()
        json.member("type", type)
        json.member("message", "errand: \(message)")
        json.endObject()
        json.endObject()
        var response = HTTPResponse.json(status, json.bytes)
        if status == 429 { response.headers.append(name: "retry-after", value: "1") }
        return response
    }

    private var type: String {
        switch status {
        case 401: "authentication_error"
        case 403: "permission_error"
        case 413: "request_too_large"
        case 429: "rate_limit_error"
        case 500...: "api_error"
        default: "invalid_request_error"
        }
    }
}
