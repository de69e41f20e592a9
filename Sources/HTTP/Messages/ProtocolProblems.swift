/// The problems that the protocol layer itself answers with, side by side.
extension Problem {
    /// The request target cannot be decoded.
    static func malformedTarget(_ detail: String) -> Problem {
        Problem(status: 400, code: "malformed_target", title: "The request target is malformed", detail: detail)
    }

    /// No route has this path.
    package static let notFound = Problem(status: 404, code: "not_found", title: "There is nothing at this path")

    /// The path exists, the method does not.
    static func methodNotAllowed(_ allowed: String) -> Problem {
        Problem(
            status: 405,
            code: "method_not_allowed",
            title: "This path does not have this method",
            headers: [("allow", allowed)]
        )
    }

    /// Anything that went wrong on our side; the cause goes to the log only.
    package static let internalError = Problem(status: 500, code: "internal", title: "Something went wrong here")

    /// The route speaks WebSocket and the request does not.
    package static let upgradeRequired = Problem(
        status: 426,
        code: "upgrade_required",
        title: "This path speaks WebSocket",
        headers: [("upgrade", "websocket"), ("connection", "upgrade"), ("sec-websocket-version", "13")]
    )

    /// The body could not be read.
    package init(_ error: BodyError) {
        switch error {
        case .tooLarge:
            self.init(status: 413, code: "body_too_large", title: "The request body is too large")
        case .timeout:
            self.init(status: 408, code: "body_timeout", title: "The request body came too slowly")
        case .malformed:
            self.init(status: 400, code: "malformed_body", title: "The request body is not framed correctly")
        case .disconnected:
            self.init(status: 400, code: "body_incomplete", title: "The request body did not arrive whole")
        }
    }
}
