import Bytes
import Crypto

/// The signature algorithms that authenticators may use, in the order of preference.
package enum COSEAlgorithm: Int64, Sendable, CaseIterable {
    /// ECDSA over P-256 with SHA-256.
    case es256 = -7
    /// Ed25519.
    case eddsa = -8
    /// RSA PKCS #1 v1.5 with SHA-256.
    case rs256 = -257
}

/// The public key of a passkey as authenticators write it (RFC 9052), strictly read: what it must hold and no more.
package struct COSEKey: Sendable {
    /// How the key signs.
    package let algorithm: COSEAlgorithm
    /// The key in its canonical form, as it is stored.
    package let encoded: [UInt8]
    private let key: Key

    private enum Key: Sendable {
        case p256(P256PublicKey)
        case ed25519(Ed25519PublicKey)
        case rsa(RSAPublicKey)
    }

    /// Labels of RFC 9052 and RFC 9053.
    private enum Label {
        static let type: Int64 = 1
        static let algorithm: Int64 = 3
        static let curveOrModulus: Int64 = -1
        static let xOrExponent: Int64 = -2
        static let y: Int64 = -3
    }

    /// Reads a stored key.
    package init(encoded: [UInt8]) throws(PasskeyError) {
        let (key, rest) = try Self.read(encoded[...])
        guard rest.isEmpty else { throw .cbor(.trailingData) }
        self = key
    }

    /// The key that `bytes` begin with, and what follows it.
    static func read(_ bytes: ArraySlice<UInt8>) throws(PasskeyError) -> (key: COSEKey, rest: ArraySlice<UInt8>) {
        let (value, rest): (CBORValue, ArraySlice<UInt8>)
        do throws(CBORError) { (value, rest) = try CBORReader.parsePrefix(bytes) } catch { throw .cbor(error) }
        return (try COSEKey(value, bytes[..<rest.startIndex]), rest)
    }

    private init(_ value: CBORValue, _ encoded: ArraySlice<UInt8>) throws(PasskeyError) {
        guard let algorithm = value[Label.algorithm]?.integer.flatMap(COSEAlgorithm.init) else { throw .unusableKey }
        self.algorithm = algorithm
        self.encoded = [UInt8](encoded)
        do throws(CryptoError) {
            switch algorithm {
            case .es256:
                let (x, y) = (value[Label.xOrExponent]?.byteString, value[Label.y]?.byteString)
                guard Self.has(value, type: 2, curve: 1, members: 5), let x, let y else { throw Self.unusable }
                key = .p256(try P256PublicKey(x: x, y: y))
            case .eddsa:
                guard Self.has(value, type: 1, curve: 6, members: 4), let x = value[Label.xOrExponent]?.byteString
                else { throw Self.unusable }
                key = .ed25519(try Ed25519PublicKey(raw: x))
            case .rs256:
                let (n, e) = (value[Label.curveOrModulus]?.byteString, value[Label.xOrExponent]?.byteString)
                guard Self.has(value, type: 3, curve: nil, members: 4), let n, let e else { throw Self.unusable }
                key = .rsa(try RSAPublicKey(modulus: n, exponent: e))
            }
        } catch {
            throw .unusableKey
        }
    }

    /// Whether `signature` is this key's signature of `message`.
    package func verifies(signature: [UInt8], of message: [UInt8]) -> Bool {
        switch key {
        case .p256(let key): key.verifies(signature: signature, of: message)
        case .ed25519(let key): key.verifies(signature: signature, of: message)
        case .rsa(let key): key.verifies(signature: signature, of: message)
        }
    }

    private static let unusable = CryptoError(stage: "COSE key", reason: .invalidKey)

    private static func has(_ value: CBORValue, type: Int64, curve: Int64?, members: Int) -> Bool {
        value[Label.type]?.integer == type && value.members?.count == members
            && (curve == nil || value[Label.curveOrModulus]?.integer == curve)
    }
}
