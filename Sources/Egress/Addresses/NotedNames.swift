import Platform

/// Vetted names that remember a refusal, which the client reports as a place that cannot be reached.
final class NotedNames {
    private let names: VettedNames
    private(set) var forbidden: ForbiddenAddress?

    init(_ names: VettedNames) {
        self.names = names
    }

    func resolve(_ host: String, _ port: UInt16) async throws -> [SocketAddress] {
        do {
            return try await names.resolve(host: host, port: port)
        } catch let error as ForbiddenAddress {
            forbidden = error
            throw error
        }
    }
}
