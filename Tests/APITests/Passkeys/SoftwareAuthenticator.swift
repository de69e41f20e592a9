import Bytes
import Crypto
import HTTP
import Testing

/// An authenticator and the browser before it, whose every word a test may change.
final class SoftwareAuthenticator {
    let key: Ed25519PrivateKey
    let id: [UInt8]
    var origin = "https://errand.test"
    var host = "errand.test"
    var signCount: UInt32 = 0
    /// Present, verified and without attested data or extensions.
    var flags: UInt8 = 0x05
    var userHandle: [UInt8]?

    init(id: [UInt8] = SecureRandom.bytes(32)) throws {
        key = try Ed25519PrivateKey.generate()
        self.id = id
    }

    /// The public key in the form of COSE.
    var coseKey: [UInt8] { [0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 0x20] + key.publicKey.raw }

    /// What a browser makes of the options of a registration.
    func create(_ options: JSONValue, attestation: [UInt8]? = nil) throws -> JSONValue {
        let challenge = try #require(options["challenge"]?.string)
        let length = [UInt8(id.count >> 8), UInt8(id.count & 0xff)]
        let data = authenticatorData(flags | 0x40) + [UInt8](repeating: 0, count: 16) + length + id + coseKey
        // {"fmt": "none", "attStmt": {}, "authData": …}
        let object: [UInt8] =
            [0xa3, 0x63] + Array("fmt".utf8) + [0x64] + Array("none".utf8) + [0x67] + Array("attStmt".utf8) + [0xa0]
            + [0x68] + Array("authData".utf8) + [0x58, UInt8(data.count)] + data
        return credential([
            ("clientDataJSON", clientData("webauthn.create", challenge)),
            ("attestationObject", .string(Base64.encodeURL(attestation ?? object))),
            ("transports", .array([.string("internal"), .string("telepathy")])),
            // Members that browsers have added since.
            ("publicKeyAlgorithm", .integer(-8)),
        ])
    }

    /// What a browser makes of the options of an assertion.
    func get(_ options: JSONValue, type: String = "webauthn.get") throws -> JSONValue {
        let challenge = try #require(options["challenge"]?.string)
        let client = clientData(type, challenge)
        let json = try #require(client.string.flatMap { Base64.decodeURL($0) })
        let data = authenticatorData(flags)
        let signature = try key.sign(data + Digest.sha256(json))
        var members: [(String, JSONValue)] = [
            ("clientDataJSON", client), ("authenticatorData", .string(Base64.encodeURL(data))),
            ("signature", .string(Base64.encodeURL(signature))),
        ]
        members.append(("userHandle", userHandle.map { .string(Base64.encodeURL($0)) } ?? .null))
        return credential(members)
    }

    private func credential(_ response: [(String, JSONValue)]) -> JSONValue {
        .object(
            JSONObject([
                ("id", .string(Base64.encodeURL(id))), ("rawId", .string(Base64.encodeURL(id))),
                ("type", .string("public-key")), ("response", .object(JSONObject(response))),
                ("authenticatorAttachment", .string("platform")), ("clientExtensionResults", .object(JSONObject())),
            ])
        )
    }

    private func clientData(_ type: String, _ challenge: String) -> JSONValue {
        let text = #"{"type":"\#(type)","challenge":"\#(challenge)","origin":"\#(origin)","crossOrigin":false}"#
        return .string(Base64.encodeURL([UInt8](text.utf8)))
    }

    private func authenticatorData(_ flags: UInt8) -> [UInt8] {
        var data = Digest.sha256([UInt8](host.utf8)) + [flags]
        data.appendBigEndian(signCount)
        return data
    }
}

extension FactorPerson {
    /// The options that the server gives for a registration.
    func registrationOptions() async throws -> JSONValue {
        let begun = try await send(.post, "/v1/me/passkeys/begin", token: token)
        try #require(begun.status == 201, "\(begun.text)")
        return try #require(begun.json["options"])
    }

    func finish(_ credential: JSONValue, name: String? = nil, token: String? = nil) async throws -> APIAnswer {
        var members: [(String, JSONValue)] = [("credential", credential)]
        if let name { members.append(("name", .string(name))) }
        let body = JSONValue.object(JSONObject(members))
        return try await world.send(.post, "/v1/me/passkeys/finish", body, token: token ?? self.token)
    }

    /// Adds a passkey.
    @discardableResult
    func add(_ authenticator: SoftwareAuthenticator, name: String? = nil) async throws -> APIAnswer {
        let answer = try await finish(authenticator.create(registrationOptions()), name: name)
        try #require(answer.status == 201, "\(answer.text)")
        return answer
    }

    /// The options that the server gives for a proof: with a token a step-up, with an interim token a second step.
    func proofOptions(interim: String? = nil, token: String? = nil) async throws -> JSONValue {
        let fields = interim.map { ["interim_token": $0] } ?? [:]
        let begun = try await send(.post, "/v1/auth/passkey/begin", fields, token: token)
        try #require(begun.status == 200, "\(begun.text)")
        return try #require(begun.json["options"])
    }

    func prove(_ credential: JSONValue, token: String? = nil, replica: Int = 0) async throws -> APIAnswer {
        let body = JSONValue.object(JSONObject([("credential", credential)]))
        return try await world.send(.post, "/v1/auth/passkey/finish", body, token: token, replica: replica)
    }
}
