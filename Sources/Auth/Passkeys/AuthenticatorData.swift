import Bytes

/// What an authenticator says about itself and the person (WebAuthn, section 6.1).
package struct AuthenticatorData: Sendable {
    /// SHA-256 of the host name it was made for.
    package let relyingPartyHash: [UInt8]
    /// Somebody touched the authenticator.
    package let isUserPresent: Bool
    /// A PIN or a biometric was checked.
    package let isUserVerified: Bool
    /// The passkey may be copied to other devices.
    package let isBackupEligible: Bool
    /// The passkey has been copied.
    package let isBackedUp: Bool
    /// Counts signatures; 0 when the authenticator does not count.
    package let signCount: UInt32
    /// The new passkey, at registration.
    package let attested: AttestedCredential?

    private enum Flag {
        static let userPresent: UInt8 = 0x01
        static let userVerified: UInt8 = 0x04
        static let backupEligible: UInt8 = 0x08
        static let backedUp: UInt8 = 0x10
        static let attested: UInt8 = 0x40
        static let extensions: UInt8 = 0x80
    }

    /// Longer ones hold extensions that nobody asked for.
    package static let maximumLength = 4096

    /// Takes the bytes apart; all of them must be accounted for.
    package init(_ bytes: [UInt8]) throws(PasskeyError) {
        var cursor = ByteCursor(bytes)
        guard bytes.count <= Self.maximumLength, let hash = cursor.read(count: 32),
            let flags = cursor.read(UInt8.self), let count = cursor.read(UInt32.self)
        else { throw .malformed("authenticator data") }
        relyingPartyHash = [UInt8](hash)
        isUserPresent = flags & Flag.userPresent != 0
        isUserVerified = flags & Flag.userVerified != 0
        isBackupEligible = flags & Flag.backupEligible != 0
        isBackedUp = flags & Flag.backedUp != 0
        guard isBackupEligible || !isBackedUp else { throw .malformed("authenticator data") }
        signCount = count
        var rest = bytes[37...]
        if flags & Flag.attested != 0 {
            (attested, rest) = try AttestedCredential.read(rest)
        } else {
            attested = nil
        }
        if flags & Flag.extensions != 0 {
            let outputs: CBORValue
            do throws(CBORError) { (outputs, rest) = try CBORReader.parsePrefix(rest) } catch { throw .cbor(error) }
            guard outputs.members != nil else { throw .malformed("authenticator data") }
        }
        guard rest.isEmpty else { throw .malformed("authenticator data") }
    }
}

/// A new passkey as its authenticator tells of it.
package struct AttestedCredential: Sendable {
    /// The longest identifier that the specification allows.
    package static let maximumIDLength = 1023

    /// The authenticator's own name of the passkey.
    package let id: [UInt8]
    /// The passkey's public key.
    package let key: COSEKey

    static func read(
        _ bytes: ArraySlice<UInt8>
    ) throws(PasskeyError) -> (credential: AttestedCredential, rest: ArraySlice<UInt8>) {
        // 16 bytes name the make of the authenticator, which nothing here depends on.
        var cursor = ByteCursor([UInt8](bytes))
        guard cursor.read(count: 16) != nil, let length = cursor.read(UInt16.self),
            (1...maximumIDLength).contains(Int(length)), let id = cursor.read(count: Int(length))
        else { throw .malformed("attested credential") }
        let (key, rest) = try COSEKey.read(bytes.dropFirst(18 + Int(length)))
        return (AttestedCredential(id: [UInt8](id), key: key), rest)
    }
}
