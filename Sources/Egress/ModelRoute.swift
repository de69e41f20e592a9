import Core
import HTTP

/// What may be asked of the model API through the broker, and how a request and its answer change on the way.
struct ModelRoute: Sendable {
    /// The calls that an agent makes; everything else the key could do is out of reach.
    private static let paths: Set<String> = ["/v1/messages", "/v1/messages/count_tokens"]
    /// What belongs to one connection, names a place, or grants leave: never passed on.
    private static let withheld: Set<String> = [
        "authorization", "x-api-key", "proxy-authorization", "proxy-authenticate", "proxy-connection", "host", "cookie",
        "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect", "content-length", "via",
        "forwarded", "accept-encoding",
    ]
    /// What a client of the model API reads; everything else of an answer stays outside.
    private static let passed: Set<String> = [
        "content-type", "content-encoding", "cache-control", "request-id", "retry-after", "retry-after-ms",
        "x-should-retry",
    ]

    /// What the sandbox shows in place of a key.
    let token: String
    /// The real key, which only the upstream sees.
    let key: String
    /// Who reads the key.
    let provider: ModelProvider

    /// Why the request may not pass; nil when it may.
    func refusal(method: HTTPMethod, path: String, headers: HTTPHeaders) -> BrokerError? {
        guard isAuthentic(headers) else {
            return BrokerError(status: 401, message: "this attempt's token is missing or wrong")
        }
        guard Self.paths.contains(path) else {
            return BrokerError(
                status: 403,
                message: "only \(Self.paths.sorted().joined(separator: " and ")) may be asked"
            )
        }
        guard method == .post else { return BrokerError(status: 405, message: "only POST may be asked") }
        return nil
    }

    /// The request's fields as the upstream gets them.
    func outbound(_ headers: HTTPHeaders) -> HTTPHeaders {
        let named = Set(headers.list(of: "connection").map { $0.lowercased() })
        var outbound = HTTPHeaders()
        for (name, value) in headers.all {
            let lowered = name.lowercased()
            guard !Self.withheld.contains(lowered), !named.contains(lowered), !lowered.hasPrefix("x-forwarded-") else {
                continue
            }
            outbound.append(name: name, value: value)
        }
        for (name, value) in ModelUpstream.credentials(key, for: provider).all {
            outbound.append(name: name, value: value)
        }
        // Tokens are counted from the answer, which therefore must not be compressed.
        outbound.append(name: "accept-encoding", value: "identity")
        return outbound
    }

    /// The answer's fields as the sandbox gets them.
    func inbound(_ headers: HTTPHeaders) -> HTTPHeaders {
        var inbound = HTTPHeaders()
        for (name, value) in headers.all {
            let lowered = name.lowercased()
            guard Self.passed.contains(lowered) || lowered.hasPrefix("anthropic-"), !value.contains(key) else {
                continue
            }
            inbound.append(name: name, value: value)
        }
        return inbound
    }

    private func isAuthentic(_ headers: HTTPHeaders) -> Bool {
        let shown = headers.values(of: "x-api-key") + headers.values(of: "authorization").compactMap(Self.bearer)
        return shown.contains { Self.isSame($0, token) }
    }

    private static func bearer(_ value: String) -> String? {
        let scheme = "bearer "
        return value.prefix(scheme.count).lowercased() == scheme ? String(value.dropFirst(scheme.count)) : nil
    }

    /// Compares without telling by its duration how much is right.
    private static func isSame(_ left: String, _ right: String) -> Bool {
        let (left, right) = ([UInt8](left.utf8), [UInt8](right.utf8))
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
