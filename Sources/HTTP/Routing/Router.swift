/// Finds the route of a request and turns whatever its handler does into a response; loop-confined.
package final class Router {
    private let tree: RouteTree

    /// Told of each error that the client sees only as `internal`, with the operation it happened in.
    package var onInternalError: (_ error: any Error, _ operationID: String, _ requestID: String) -> Void = { _, _, _ in
    }
    /// Told of each answer: the operation (nil when no route matched) and the status.
    package var onResponse: (_ operationID: String?, _ status: Int) -> Void = { _, _ in }

    /// Builds the table; two routes with the same method and pattern are a programming error.
    package init(_ routes: [Route]) {
        tree = RouteTree(routes)
    }

    /// Answers a request; never throws.
    package func respond(to request: HTTPRequest) async -> HTTPResponse {
        let (operationID, response) = await answer(request)
        onResponse(operationID, response.status)
        return response.rendered(requestID: request.requestID)
    }

    private func answer(_ request: HTTPRequest) async -> (String?, HTTPResponse) {
        if request.method == .options, request.path == "*" { return (nil, .noContent) }
        let match: RouteTree.Match?
        if let endpoint = tree.fixed(request.path) {
            match = RouteTree.Match(endpoint: endpoint, parameters: [:])
        } else if let segments = request.decodedSegments {
            match = tree.find(segments: segments)
        } else {
            return (nil, .problem(.malformedTarget("the path is not valid percent-encoded UTF-8")))
        }
        guard let match else { return (nil, .problem(.notFound)) }
        guard let route = match.endpoint.route(for: request.method) else {
            let allowed = match.endpoint.allowed
            guard request.method == .options else { return (nil, .problem(.methodNotAllowed(allowed))) }
            return (nil, HTTPResponse(status: 204, headers: HTTPHeaders([("allow", allowed)])))
        }
        request.parameters = match.parameters
        return (route.operationID, await run(route, request))
    }

    private func run(_ route: Route, _ request: HTTPRequest) async -> HTTPResponse {
        do {
            return try await route.handler(request)
        } catch let error as ProblemError {
            return .problem(error.problem)
        } catch let error as BodyError {
            return .problem(Problem(error))
        } catch {
            onInternalError(error, route.operationID, request.requestID)
            return .problem(.internalError)
        }
    }
}
