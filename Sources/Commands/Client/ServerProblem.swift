import Bytes
import HTTP
import Transport

/// What the server answered instead of what was asked for.
struct ServerProblem: Error, Equatable, CustomStringConvertible {
    let status: Int
    let code: String
    /// Title, detail and offending fields in one line.
    let text: String
    let requestID: String?
    /// Seconds after which another try makes sense.
    let retryAfter: Int?
    /// What the second step of a sign-in begins with, and how it may be taken.
    let interimToken: String?
    let methods: [String]

    /// Reads a problem document; anything else with an error status is told by its status.
    init(status: Int, body: [UInt8], headers: HTTPHeaders = HTTPHeaders()) {
        self.status = status
        retryAfter = headers["retry-after"].flatMap { Int($0) }
        guard let json = try? JSONReader.parse(body), let title = json["title"]?.string else {
            code = "http_\(status)"
            text = "the server answered with status \(status)"
            requestID = headers["x-request-id"].map { VisibleText.line($0, limit: 100) }
            interimToken = nil
            methods = []
            return
        }
        code = VisibleText.line(json["code"]?.string ?? "http_\(status)", limit: 100)
        requestID = json["request_id"]?.string.map { VisibleText.line($0, limit: 100) }
        interimToken = json["interim_token"]?.string
        methods = (json["methods"]?.array ?? []).compactMap(\.string)
        var text = title
        let fields = json["errors"]?.array ?? []
        if !fields.isEmpty {
            let faults = fields.map { "\($0["pointer"]?.string ?? "") \($0["detail"]?.string ?? "")" }
            text += ": " + faults.joined(separator: "; ")
        }
        if let detail = json["detail"]?.string { text += ". " + detail }
        self.text = VisibleText.line(text)
    }

    var description: String {
        let origin = [code, requestID].compactMap { $0 }.joined(separator: ", ")
        return "\(text) (\(origin))"
    }

    /// The exit code that tells shells what kind of problem it is.
    var exitCode: Int32 {
        switch status {
        case 400, 413, 415, 422: ExitCode.usage
        case 401, 403: ExitCode.refused
        case 404: ExitCode.notFound
        case 408, 429, 500...: ExitCode.unavailable
        default: ExitCode.failed
        }
    }

    /// Whether the same request may well succeed a little later.
    var isPassing: Bool { status == 429 || status == 502 || status == 503 || status == 504 }

    /// The failure that ends the command.
    var failure: CommandFailure { CommandFailure(description, exitCode: exitCode, problemCode: code) }
}

extension CommandFailure {
    /// A server that could not be talked to; the text says what may help.
    init(_ error: HTTPClientError, server: String) {
        let hint: String
        switch error {
        case .connection(.tls(let fault)) where fault.reason.contains("certificate"):
            hint = "; name its authority with `errand login --ca FILE` or ERRAND_CA"
        case .connection where server.hasPrefix("http://"): hint = "; is it an https server?"
        case .connection(.tls): hint = "; is it an https server?"
        case .unreachable: hint = "; is it running?"
        default: hint = ""
        }
        self.init("\(server): \(VisibleText.line("\(error)"))\(hint)", exitCode: ExitCode.unavailable)
    }
}
