/// One operation: a method on a path pattern, and what answers it.
package struct Route {
    /// The method.
    package let method: HTTPMethod
    /// The path, with placeholders for whole segments: `/v1/jobs/{id}`.
    package let pattern: String
    /// The operation's name in the OpenAPI document and in metrics.
    package let operationID: String
    /// What answers.
    package let handler: (HTTPRequest) async throws -> HTTPResponse

    /// Makes a route.
    package init(
        method: HTTPMethod,
        pattern: String,
        operationID: String,
        handler: @escaping (HTTPRequest) async throws -> HTTPResponse
    ) {
        self.method = method
        self.pattern = pattern
        self.operationID = operationID
        self.handler = handler
    }
}
