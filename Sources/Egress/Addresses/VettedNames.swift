package import Core
package import Platform
import Transport

/// A name that leads where it must not.
package struct ForbiddenAddress: Error, Equatable, CustomStringConvertible {
    /// The name that was asked for.
    package let host: String
    /// What kind of address it has.
    package let kind: AddressKind

    /// Names the kind and not the address, which may be an inner network's.
    package var description: String { "\(host) has an address that is not public (\(kind.rawValue))" }
}

/// Turns names into addresses that may be dialled; what it gives is dialled as it is, so a second answer cannot differ.
package struct VettedNames: Sendable {
    /// Asks for the addresses of a name.
    package typealias Lookup = @Sendable (_ host: String, _ port: UInt16) async throws -> [SocketAddress]

    private let reach: ModelReach
    private let lookup: Lookup

    /// Vets what the system's resolver says.
    package init(
        _ reach: ModelReach,
        lookup: @escaping Lookup = { try await NameResolver.resolve(host: $0, port: $1) }
    ) {
        self.reach = reach
        self.lookup = lookup
    }

    /// All addresses of a name, none when one of them is forbidden: a name that mixes them is made to be tried twice.
    package func resolve(host: String, port: UInt16) async throws -> [SocketAddress] {
        let addresses = try await lookup(host, port)
        guard reach == .publicOnly else { return addresses }
        for address in addresses {
            if let kind = address.specialKind { throw ForbiddenAddress(host: host, kind: kind) }
        }
        return addresses
    }
}
