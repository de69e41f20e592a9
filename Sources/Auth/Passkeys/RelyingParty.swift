import Bytes
import Crypto

/// This installation as authenticators know it: its host name and the pages that may ask.
package struct RelyingParty: Sendable {
    /// The host name that passkeys are bound to.
    package let id: String
    private let origins: Set<String>
    private let idHash: [UInt8]

    /// The installation at a public URL; nil when its host is an address, which passkeys cannot be bound to.
    ///
    /// The machine's own address stands for `localhost`. `others` are origins of browser applications.
    package init?(publicURL: String, others: Set<String> = []) {
        guard let place = Self.place(of: publicURL) else { return nil }
        if place.host == "127.0.0.1" || place.host == "[::1]" {
            self.init(id: "localhost", origins: others.union([place.scheme + "localhost" + place.port]))
        } else {
            let isName = place.host.utf8.contains { (0x61...0x7a).contains($0) } && !place.host.hasPrefix("[")
            guard isName else { return nil }
            self.init(id: place.host, origins: others.union([place.scheme + place.host + place.port]))
        }
    }

    /// The installation of a host name whose pages have these origins.
    package init(id: String, origins: Set<String>) {
        self.id = id
        self.origins = origins
        idHash = Digest.sha256([UInt8](id.utf8))
    }

    /// Verifies a registration (WebAuthn, section 7.1), whose challenge the caller has found to be its own.
    package func register(
        _ client: ClientData,
        attestationObject: [UInt8],
        requiresVerification: Bool
    ) throws(PasskeyError) -> AuthenticatorData {
        try check(client, .registration)
        let object: CBORValue
        do throws(CBORError) { object = try CBORReader.parse(attestationObject) } catch { throw .cbor(error) }
        guard object.members?.count == 3, let format = object["fmt"]?.string,
            let statement = object["attStmt"], statement.members != nil, let bytes = object["authData"]?.byteString
        else { throw .malformed("attestation object") }
        let data = try AuthenticatorData(bytes)
        try check(data, requiresVerification: requiresVerification)
        guard let credential = data.attested else { throw .malformed("attested credential") }
        try Self.checkStatement(statement, format: format, of: credential.key, over: bytes + client.hash)
        return data
    }

    /// Verifies an assertion (WebAuthn, section 7.2), whose challenge the caller has found to be its own.
    package func assert(
        _ client: ClientData,
        authenticatorData bytes: [UInt8],
        signature: [UInt8],
        key: COSEKey,
        requiresVerification: Bool
    ) throws(PasskeyError) -> AuthenticatorData {
        try check(client, .assertion)
        let data = try AuthenticatorData(bytes)
        guard data.attested == nil else { throw .malformed("authenticator data") }
        try check(data, requiresVerification: requiresVerification)
        guard key.verifies(signature: signature, of: bytes + client.hash) else { throw .wrongSignature }
        return data
    }

    private func check(_ client: ClientData, _ ceremony: ClientData.Ceremony) throws(PasskeyError) {
        guard client.ceremony == ceremony else { throw .wrongType }
        guard origins.contains(client.origin) else { throw .wrongOrigin }
        guard !client.isCrossOrigin else { throw .crossOrigin }
    }

    private func check(_ data: AuthenticatorData, requiresVerification: Bool) throws(PasskeyError) {
        guard data.relyingPartyHash == idHash else { throw .wrongRelyingParty }
        guard data.isUserPresent else { throw .userNotPresent }
        guard data.isUserVerified || !requiresVerification else { throw .userNotVerified }
    }

    /// Nothing is believed of the authenticator's make, so only the statements that claim none are read.
    private static func checkStatement(
        _ statement: CBORValue,
        format: String,
        of key: COSEKey,
        over message: [UInt8]
    ) throws(PasskeyError) {
        let members = statement.members ?? []
        switch format {
        case "none":
            guard members.isEmpty else { throw .malformed("attestation statement") }
        case "packed":
            // With a certificate chain it would be the maker's.
            guard statement["x5c"] == nil else { throw .attestationFormat }
            guard members.count == 2, statement["alg"]?.integer == key.algorithm.rawValue,
                let signature = statement["sig"]?.byteString
            else { throw .malformed("attestation statement") }
            guard key.verifies(signature: signature, of: message) else { throw .wrongSignature }
        default: throw .attestationFormat
        }
    }

    /// Scheme with its slashes, host, and port with its colon, of an origin in lower case; a default port is left out.
    private static func place(of url: String) -> (scheme: String, host: String, port: String)? {
        guard let scheme = ["https://", "http://"].first(where: { url.hasPrefix($0) }) else { return nil }
        let authority = url.dropFirst(scheme.count).prefix { $0 != "/" }.lowercased()
        var (host, port) = (authority, "")
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            (host, port) = (String(authority[..<colon]), String(authority[colon...]))
        }
        if (scheme == "https://" && port == ":443") || (scheme == "http://" && port == ":80") { port = "" }
        return host.isEmpty ? nil : (scheme, host, port)
    }
}
