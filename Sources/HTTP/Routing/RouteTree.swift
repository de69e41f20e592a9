/// The routes as a tree of path segments; a literal segment wins over a placeholder.
struct RouteTree {
    /// The methods of one path.
    final class Endpoint {
        var routes: [HTTPMethod: Route] = [:]

        /// The route for a method; GET answers HEAD, and the transport drops the body.
        func route(for method: HTTPMethod) -> Route? {
            routes[method] ?? (method == .head ? routes[.get] : nil)
        }

        /// The value of the Allow field.
        var allowed: String {
            var names = Set(routes.keys.map(\.rawValue))
            names.insert("OPTIONS")
            if names.contains("GET") { names.insert("HEAD") }
            return names.sorted().joined(separator: ", ")
        }
    }

    /// What a path leads to.
    struct Match {
        let endpoint: Endpoint
        let parameters: [String: String]
    }

    private final class Node {
        var literals: [String: Node] = [:]
        var placeholder: (name: String, node: Node)?
        var endpoint: Endpoint?
    }

    private let root = Node()
    // Paths without a placeholder, found by one look-up.
    private var fixedPaths: [String: Endpoint] = [:]

    init(_ routes: [Route]) {
        for route in routes { add(route) }
    }

    /// The endpoint of a path as it stands on the wire, when no placeholder is involved.
    func fixed(_ path: String) -> Endpoint? { fixedPaths[path] }

    func find(segments: [String]) -> Match? {
        var parameters: [String: String] = [:]
        guard let endpoint = walk(root, segments[...], &parameters) else { return nil }
        return Match(endpoint: endpoint, parameters: parameters)
    }

    private func walk(_ node: Node, _ rest: ArraySlice<String>, _ parameters: inout [String: String]) -> Endpoint? {
        guard let segment = rest.first else { return node.endpoint }
        if let next = node.literals[segment], let found = walk(next, rest.dropFirst(), &parameters) { return found }
        guard let (name, next) = node.placeholder, !segment.isEmpty else { return nil }
        guard let found = walk(next, rest.dropFirst(), &parameters) else { return nil }
        parameters[name] = segment
        return found
    }

    private mutating func add(_ route: Route) {
        guard let parts = PercentEncoding.decodeSegments(route.pattern) else {
            preconditionFailure("route pattern does not begin with a slash: \(route.pattern)")
        }
        var node = root
        for part in parts {
            if part.hasPrefix("{"), part.hasSuffix("}") {
                let name = String(part.dropFirst().dropLast())
                let next = node.placeholder ?? (name, Node())
                precondition(next.name == name, "\(route.pattern) names a placeholder differently from its neighbour")
                node.placeholder = next
                node = next.node
            } else {
                let next = node.literals[part] ?? Node()
                node.literals[part] = next
                node = next
            }
        }
        let endpoint = node.endpoint ?? Endpoint()
        precondition(endpoint.routes[route.method] == nil, "two routes for \(route.method.rawValue) \(route.pattern)")
        endpoint.routes[route.method] = route
        node.endpoint = endpoint
        if !route.pattern.contains("{") { fixedPaths[route.pattern] = endpoint }
    }
}
