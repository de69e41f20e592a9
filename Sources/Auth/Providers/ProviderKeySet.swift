package import Bytes

/// The keys that a provider publishes, as far as they can be used here.
package struct ProviderKeySet: Sendable {
    /// A provider rotates a few at a time; more would only make every unknown token expensive.
    package static let limit = 100

    /// Those that can be used.
    package let keys: [ProviderKey]

    /// Reads a JWK set; keys of other kinds and uses are passed over, for other clients may need them.
    package init(document: [UInt8]) throws(TokenError) {
        guard let json = try? JSONReader.parse(document) else { throw .malformed }
        try self.init(json)
    }

    /// Takes the members of a set.
    package init(_ json: JSONValue) throws(TokenError) {
        guard let entries = json["keys"]?.array, entries.count <= Self.limit else { throw .malformed }
        let usable = entries.compactMap { try? ProviderKey($0) }
        // Of two keys with one name nobody knows which is meant: neither is believed.
        let names = entries.compactMap { $0["kid"]?.string }
        keys = usable.filter { key in key.identifier.map { name in names.count { $0 == name } == 1 } ?? true }
    }

    /// The key that a token names, or the only one there is when it names none.
    func key(named identifier: String?) throws(TokenError) -> ProviderKey {
        let found = identifier.map { name in keys.filter { $0.identifier == name } } ?? keys
        guard found.count == 1 else { throw .unknownKey }
        return found[0]
    }

    /// The payload of a token that one of the keys signed.
    package func verify(_ text: String) throws(TokenError) -> [UInt8] {
        let token = try JWS(foreign: text)
        try verify(token)
        return token.payload
    }

    /// Refuses a token of another kind, and one that none of the keys signed.
    func verify(_ token: JWS) throws(TokenError) {
        // What an ID token is called, when it is called anything; an access or logout token is none.
        guard token.type.map({ $0.uppercased() == "JWT" }) ?? true else { throw .wrongType }
        try key(named: token.keyIdentifier).verify(token)
    }
}
