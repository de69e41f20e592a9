import HTTP

/// What kind of work a route is, for its rate limits.
package enum RouteClass: Int, CaseIterable, Sendable {
    /// Tries a secret that somebody could guess, or one that costs a hash: few, and by address.
    case auth
    /// Looks something up.
    case read
    /// Changes something.
    case write
    /// Begins a run.
    case run
    /// Opens what stays open.
    case stream
    /// Moves a workspace in.
    case upload
}

/// How a route is limited.
package struct RouteLimit: Sendable, Equatable {
    /// Nil for what is free.
    package let kind: RouteClass?
    /// Nobody has to be signed in: the address is charged, before anything is read.
    package let isPublic: Bool
}

/// The one table from route to limit; what it does not name is limited by its method and by who may call it.
package enum RouteLimits {
    private static let named: [String: RouteClass] = [
        // Their secrets have 256 bits, and all tabs of an office, or all machines of a rack, wake up together.
        "refresh": .write,
        "redeemProviderCode": .write,
        "reauthenticate": .auth,
        // Nothing is tried yet: it makes the challenge.
        "beginPasskeyProof": .write,
        "changePassword": .auth,
        // Its codes have 256 bits, and every machine that waits asks each five seconds.
        "exchangeToken": .write,
        "signOut": .write,
        "revokeToken": .write,
        // It costs a row, and at times a request to the provider.
        "beginAtProvider": .auth,
        "enrolWorker": .write,
        "workerControlLink": .stream,
        "workerBulkLink": .stream,
        "executeClaude": .run,
        "createJob": .run,
        "streamJob": .stream,
        "jobEvents": .stream,
        "putWorkspace": .upload,
    ]
    /// Asking whether the process lives costs nothing, and must be answered in a flood too.
    private static let free: Set<String> = ["health"]

    /// The operations that the table names.
    package static var names: Set<String> { free.union(named.keys) }

    /// The limit of a route: a public one that changes something is taken for a try of a secret.
    package static func limit(of row: RouteRow) -> RouteLimit {
        let isPublic: Bool
        switch row.access {
        case .anyone, .page, .worker: isPublic = true
        default: isPublic = false
        }
        guard !free.contains(row.operationID) else { return RouteLimit(kind: nil, isPublic: isPublic) }
        let usual: RouteClass = row.method == .get ? .read : isPublic ? .auth : .write
        return RouteLimit(kind: named[row.operationID] ?? usual, isPublic: isPublic)
    }
}
