import Auth
import Bytes
import Core

/// What a browser made of a new passkey, in the JSON form of the Web Authentication standard.
///
/// Browsers add members as the standard grows: those that are not read here are passed over.
struct NewCredential {
    let id: [UInt8]
    let clientData: [UInt8]
    let attestationObject: [UInt8]
    let transports: [String]

    init(_ fields: inout FieldReader) {
        let credential = CredentialReader("credential", &fields)
        id = credential.bytes(["rawId"], maximum: AttestedCredential.maximumIDLength, &fields)
        clientData = credential.bytes(["response", "clientDataJSON"], maximum: ClientData.maximumLength, &fields)
        attestationObject = credential.bytes(
            ["response", "attestationObject"],
            maximum: CBORLimits().maximumBytes,
            &fields
        )
        transports = credential.words(["response", "transports"], known: CredentialReader.transports)
        credential.demandPublicKey(&fields)
    }
}

/// What a browser made of the use of a passkey, in the same form.
struct UsedCredential {
    let id: [UInt8]
    let clientData: [UInt8]
    let authenticatorData: [UInt8]
    let signature: [UInt8]
    /// The account that the authenticator keeps the passkey for, when it tells.
    let userHandle: [UInt8]?

    /// Bytes of an RSA signature of the largest key.
    private static let maximumSignature = 512
    /// The longest that the standard allows.
    private static let maximumUserHandle = 64

    init(_ fields: inout FieldReader) {
        let credential = CredentialReader("credential", &fields)
        id = credential.bytes(["rawId"], maximum: AttestedCredential.maximumIDLength, &fields)
        clientData = credential.bytes(["response", "clientDataJSON"], maximum: ClientData.maximumLength, &fields)
        authenticatorData = credential.bytes(
            ["response", "authenticatorData"],
            maximum: AuthenticatorData.maximumLength,
            &fields
        )
        signature = credential.bytes(["response", "signature"], maximum: Self.maximumSignature, &fields)
        userHandle =
            credential.has(["response", "userHandle"])
            ? credential.bytes(["response", "userHandle"], maximum: Self.maximumUserHandle, &fields) : nil
        credential.demandPublicKey(&fields)
    }
}

/// Reads a document that another standard defines, and notes faults where they are.
private struct CredentialReader {
    private let name: String
    private let document: JSONValue

    /// The transports that the standard knows.
    static let transports: Set<String> = ["usb", "nfc", "ble", "internal", "hybrid", "smart-card"]

    init(_ name: String, _ fields: inout FieldReader) {
        self.name = name
        document = fields.foreign(name) ?? .null
    }

    func has(_ path: [String]) -> Bool { value(path).map { !$0.isNull } ?? false }

    /// The bytes of a base64url text; a fault, and none, when there are not from one to `maximum` of them.
    func bytes(_ path: [String], maximum: Int, _ fields: inout FieldReader) -> [UInt8] {
        guard let text = value(path)?.string, text.utf8.count <= maximum * 4 / 3 + 4,
            let bytes = Base64.decodeURL(text), (1...maximum).contains(bytes.count)
        else {
            fields.fault(at: [name] + path, "must be 1 to \(maximum) bytes in base64url without padding")
            return []
        }
        return bytes
    }

    /// The known ones of a list of words.
    func words(_ path: [String], known: Set<String>) -> [String] {
        Array(Set((value(path)?.array ?? []).compactMap(\.string)).intersection(known).sorted())
    }

    func demandPublicKey(_ fields: inout FieldReader) {
        if value(["type"])?.string != "public-key" { fields.fault(at: [name, "type"], "must be \"public-key\"") }
    }

    private func value(_ path: [String]) -> JSONValue? {
        path.reduce(Optional(document)) { value, member in value?[member] }
    }
}
