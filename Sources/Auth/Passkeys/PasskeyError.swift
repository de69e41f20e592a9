package import Bytes

/// Why what an authenticator sent is refused; names the step, never a secret.
package enum PasskeyError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The client data is not the JSON that browsers make.
    case clientData
    /// Made for another challenge than one of ours that still holds.
    case wrongChallenge
    /// Made for the other ceremony.
    case wrongType
    /// The page that asked is not of this installation.
    case wrongOrigin
    /// Asked for from within a frame of another site.
    case crossOrigin
    /// Bound to a TLS connection, which nobody here can check.
    case tokenBinding
    /// The attestation object is not canonical CBOR.
    case cbor(CBORError)
    /// The attestation object or the authenticator data has not its form.
    case malformed(String)
    /// Made for another host name.
    case wrongRelyingParty
    /// Nobody touched the authenticator.
    case userNotPresent
    /// The authenticator did not ask for a PIN or a biometric.
    case userNotVerified
    /// Neither no attestation nor one by the key itself.
    case attestationFormat
    /// A key of another kind than those offered, or a bad one.
    case unusableKey
    /// The signature is not the key's.
    case wrongSignature

    package var description: String {
        switch self {
        case .clientData: "the client data is malformed"
        case .wrongChallenge: "the challenge is not one of ours, or has ended"
        case .wrongType: "the client data is of another ceremony"
        case .wrongOrigin: "the page is not of this installation"
        case .crossOrigin: "it was asked for from a frame of another site"
        case .tokenBinding: "token binding is not supported"
        case .cbor(let error): "the CBOR is not canonical (\(error))"
        case .malformed(let part): "the \(part) is malformed"
        case .wrongRelyingParty: "it was made for another host name"
        case .userNotPresent: "nobody was present at the authenticator"
        case .userNotVerified: "the authenticator did not verify the person by PIN or biometric"
        case .attestationFormat: "only no attestation or self attestation is accepted"
        case .unusableKey: "the public key is of another kind than those offered"
        case .wrongSignature: "the signature is wrong"
        }
    }
}
