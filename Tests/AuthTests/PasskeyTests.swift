import Auth
import Bytes
import Crypto
import Testing

struct PasskeyTests {
    private let party = RelyingParty(id: "example.org", origins: ["https://example.org"])

    private func hex(_ text: String) throws -> [UInt8] { try #require(Hex.decode(text)) }

    private func refusal<Value>(_ attempt: () throws(PasskeyError) -> Value) -> PasskeyError? {
        do throws(PasskeyError) {
            _ = try attempt()
            return nil
        } catch {
            return error
        }
    }

    /// The parts of an assertion, each of which a test may change.
    private struct Assertion {
        var clientData: [UInt8]
        var authenticatorData: [UInt8]
        var signature: [UInt8]
        var key: COSEKey
    }

    private func credential(_ vector: PasskeyVector) throws -> AttestedCredential {
        let object = try CBORReader.parse(hex(vector.attestationObject))
        let data = try AuthenticatorData(#require(object["authData"]?.byteString))
        return try #require(data.attested)
    }

    private func assertion(_ vector: PasskeyVector) throws -> Assertion {
        Assertion(
            clientData: try hex(vector.clientData),
            authenticatorData: try hex(vector.authenticatorData),
            signature: try hex(vector.signature),
            key: try credential(vector).key
        )
    }

    private func judge(
        _ assertion: Assertion,
        by party: RelyingParty? = nil,
        verified: Bool = false
    ) -> PasskeyError? {
        refusal { () throws(PasskeyError) in
            try (party ?? self.party).assert(
                try ClientData(assertion.clientData),
                authenticatorData: assertion.authenticatorData,
                signature: assertion.signature,
                key: assertion.key,
                requiresVerification: verified
            )
        }
    }

    @Test(arguments: [PasskeyVector.noneES256, .selfES256])
    func `a registration of the specification is accepted`(vector: PasskeyVector) throws {
        let client = try ClientData(hex(vector.registrationClientData))
        #expect(client.challenge == (try hex(vector.registrationChallenge)))
        let object = try hex(vector.attestationObject)
        let data = try party.register(client, attestationObject: object, requiresVerification: false)
        let credential = try #require(data.attested)
        #expect(credential.id == (try hex(vector.credential)))
        #expect(credential.key.algorithm == .es256)
        #expect(try COSEKey(encoded: credential.key.encoded).algorithm == .es256)
        #expect(data.signCount == 0 && data.isBackupEligible && data.isBackedUp)
    }

    @Test(arguments: [
        (PasskeyVector.noneES256, COSEAlgorithm.es256), (.selfES256, .es256), (.packedRS256, .rs256),
        (.packedEdDSA, .eddsa),
    ])
    func `an assertion of the specification is accepted, and no changed one`(
        vector: PasskeyVector,
        algorithm: COSEAlgorithm
    ) throws {
        let good = try assertion(vector)
        #expect(good.key.algorithm == algorithm)
        #expect(try ClientData(good.clientData).challenge == hex(vector.challenge))
        #expect(judge(good) == nil)
        for position in good.signature.indices {
            var bad = good
            bad.signature[position] ^= 0x01
            #expect(judge(bad) == .wrongSignature, "signature \(position)")
        }
        for position in 33..<37 {
            var bad = good
            bad.authenticatorData[position] ^= 0x01
            #expect(judge(bad) == .wrongSignature, "counter \(position)")
        }
        for signature in [[], good.signature + [0], [UInt8](good.signature.dropLast())] {
            var bad = good
            bad.signature = signature
            #expect(judge(bad) == .wrongSignature)
        }
        var other = good
        other.key = try credential(algorithm == .eddsa ? .noneES256 : .packedEdDSA).key
        #expect(judge(other) == .wrongSignature)
        var spaced = good
        spaced.clientData += [UInt8(ascii: " ")]
        #expect(judge(spaced) == .wrongSignature)
    }

    @Test(arguments: [PasskeyVector.packedRS256, .packedEdDSA])
    func `a maker's attestation is not accepted`(vector: PasskeyVector) throws {
        let client = try ClientData(hex(vector.registrationClientData))
        let object = try hex(vector.attestationObject)
        let error = refusal { () throws(PasskeyError) in
            try party.register(client, attestationObject: object, requiresVerification: false)
        }
        #expect(error == .attestationFormat)
    }

    @Test func `a self attestation by another key is refused`() throws {
        let client = try ClientData(hex(PasskeyVector.selfES256.registrationClientData))
        let text = PasskeyVector.selfES256.attestationObject
        for (old, new, reason) in [
            ("067a20754ab925", "067a20754ab926", PasskeyError.wrongSignature),
            ("63616c6726", "63616c6727", .malformed("attestation statement")),
            ("667061636b6564", "667061636b6565", .attestationFormat),
        ] {
            let object = try hex(text.replacing(old, with: new))
            let error = refusal { () throws(PasskeyError) in
                try party.register(client, attestationObject: object, requiresVerification: false)
            }
            #expect(error == reason, "\(old)")
        }
    }

    @Test func `a ceremony in another site's frame, on another page, for another host or of the other kind is refused`()
        throws
    {
        let framed = try assertion(.crossOrigin)
        #expect(judge(framed) == .crossOrigin)
        let good = try assertion(.noneES256)
        #expect(judge(good, by: RelyingParty(id: "example.org", origins: ["https://example.com"])) == .wrongOrigin)
        #expect(judge(good, by: RelyingParty(id: "example.org", origins: ["https://example.org:8443"])) == .wrongOrigin)
        #expect(judge(good, by: RelyingParty(id: "example.or", origins: ["https://example.org"])) == .wrongRelyingParty)
        var other = good
        other.clientData = try hex(PasskeyVector.noneES256.registrationClientData)
        #expect(judge(other) == .wrongType)
        let client = try ClientData(good.clientData)
        let object = try hex(PasskeyVector.noneES256.attestationObject)
        let error = refusal { () throws(PasskeyError) in
            try party.register(client, attestationObject: object, requiresVerification: false)
        }
        #expect(error == .wrongType)
    }

    @Test func `presence is always demanded, verification where it is asked for`() throws {
        var absent = try assertion(.noneES256)
        #expect(judge(absent, verified: true) == .userNotVerified)
        absent.authenticatorData[32] &= 0xfe
        #expect(judge(absent) == .userNotPresent)
        let framed = try assertion(.crossOrigin)
        #expect(framed.authenticatorData[32] & 0x04 == 0x04)
    }

    @Test(arguments: [
        ("bfab", PasskeyError.malformed("authenticator data")),
        ("19000000", .malformed("authenticator data")),
        // Copied without being fit for it; trailing bytes; a passkey where none belongs; extensions that are none.
        ("1100000000", .malformed("authenticator data")), ("010000000000", .malformed("authenticator data")),
        ("4100000000", .malformed("attested credential")), ("8100000000", .cbor(.unexpectedEnd)),
        ("810000000000", .malformed("authenticator data")), ("8100000000a0a0", .malformed("authenticator data")),
        ("8100000000a26162016161f5", .cbor(.badKey)),
    ])
    func `authenticator data that is not accounted for to the last byte is refused`(
        tail: String,
        reason: PasskeyError
    ) throws {
        var bad = try assertion(.noneES256)
        bad.authenticatorData = Array(bad.authenticatorData.prefix(32)) + (try hex(tail))
        #expect(judge(bad) == reason)
        bad.authenticatorData = Array(bad.authenticatorData.prefix(32)) + (try hex("8100000000a16161f5"))
        #expect(judge(bad) == .wrongSignature)
    }

    @Test func `an attested credential with a length of zero, over the limit or beyond the end is refused`() throws {
        let head = [UInt8](repeating: 0, count: 32) + [0x41, 0, 0, 0, 0] + [UInt8](repeating: 9, count: 16)
        let key = try credential(.noneES256).key.encoded
        let parse = { (bytes: [UInt8]) in self.refusal { () throws(PasskeyError) in try AuthenticatorData(bytes) } }
        let long = { (count: Int) in
            head + [UInt8(count >> 8), UInt8(count & 255)] + [UInt8](repeating: 1, count: count)
        }
        #expect(parse(long(1) + key) == nil)
        #expect(parse(long(1023) + key) == nil)
        #expect(parse(long(0) + key) == .malformed("attested credential"))
        #expect(parse(long(1024) + key) == .malformed("attested credential"))
        #expect(parse(head + [0, 200, 1, 2]) == .malformed("attested credential"))
        #expect(parse(long(1) + key + [0]) == .malformed("authenticator data"))
    }

    @Test(arguments: [
        // Off the curve; a coordinate too long; another curve; another algorithm; a member too many; keys out of order.
        ("6df61", "6df60", PasskeyError.unusableKey), ("215820", "215821", .cbor(.badKey)),
        ("032620012158", "032620022158", .unusableKey), ("0326", "0325", .unusableKey),
        ("a501020326", "a60102032605f5", .unusableKey), ("a501020326", "a503260102", .cbor(.badKey)),
        ("a50102", "a50101", .unusableKey),
    ])
    func `a public key that is not exactly one of those offered is refused`(
        old: String,
        new: String,
        reason: PasskeyError
    ) throws {
        let text = Hex.encode(try credential(.noneES256).key.encoded)
        let changed = try hex(text.replacing(old, with: new, maxReplacements: 1))
        #expect(try hex(text) != changed)
        let error = refusal { () throws(PasskeyError) in try COSEKey(encoded: changed) }
        #expect(error == reason)
    }

    @Test func `an RSA key that is too short, even, or with a weak exponent is refused`() throws {
        let odd = { (count: Int) in [UInt8](repeating: 0xab, count: count) }
        let three: [UInt8] = [1, 0, 1]
        let make = { (modulus: [UInt8], exponent: [UInt8]) in
            (try? RSAPublicKey(modulus: modulus, exponent: exponent)) != nil
        }
        #expect(make(odd(256), three) && make(odd(512), three))
        #expect(!make(odd(255), three) && !make(odd(513), three))
        #expect(!make([0] + odd(256), three))
        #expect(!make(odd(255) + [2], three))
        for exponent: [UInt8] in [[], [3], [1, 0, 0], [0, 1, 0, 1], [1, 0, 0, 0, 1]] {
            #expect(!make(odd(256), exponent), "\(exponent)")
        }
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"type":"webauthn.get"}"#, #"{"type":"webauthn.get","challenge":"A","origin":"x"}"#,
        #"{"type":"webauthn.get","challenge":"AA=","origin":"x"}"#,
        #"{"type":"webauthn.get","challenge":"AA","origin":"x","crossOrigin":"no"}"#,
        #"{"type":"webauthn.get","type":"webauthn.get","challenge":"AA","origin":"x"}"#,
    ])
    func `client data that no browser makes is refused`(text: String) {
        #expect(refusal { () throws(PasskeyError) in try ClientData([UInt8](text.utf8)) } == .clientData)
    }

    @Test func `token binding and a page's own top are seen, and a long text is not read`() throws {
        let start = #"{"type":"webauthn.get","challenge":"AA","origin":"https://example.org""#
        let read = { (rest: String) throws(PasskeyError) in try ClientData([UInt8]((start + rest + "}").utf8)) }
        #expect(try read("").isCrossOrigin == false)
        #expect(try read(#","tokenBinding":{"status":"supported"}"#).ceremony == .assertion)
        #expect(
            refusal { () throws(PasskeyError) in try read(#","tokenBinding":{"status":"present","id":"x"}"#) }
                == .tokenBinding
        )
        #expect(try read(#","topOrigin":"https://example.com""#).isCrossOrigin)
        #expect(try read(#","x":""# + String(repeating: "x", count: 8000) + "\"").origin == "https://example.org")
        let long = #","x":""# + String(repeating: "x", count: 9000) + "\""
        #expect(refusal { () throws(PasskeyError) in try read(long) } == .clientData)
    }

    @Test(arguments: [
        ("https://errand.example.org", "errand.example.org" as String?, "https://errand.example.org"),
        ("https://Errand.Example.org:443", "errand.example.org", "https://errand.example.org"),
        ("https://errand.example.org:8443", "errand.example.org", "https://errand.example.org:8443"),
        ("http://localhost:8080", "localhost", "http://localhost:8080"),
        ("https://127.0.0.1:8443", "localhost", "https://localhost:8443"),
        ("https://[::1]:8443", "localhost", "https://localhost:8443"), ("https://10.0.0.5:8443", nil, ""),
        ("https://[fd00::1]", nil, ""), ("ftp://example.org", nil, ""), ("https://", nil, ""),
    ])
    func `passkeys are bound to the public URL's host name, and to localhost on the machine itself`(
        url: String,
        id: String?,
        origin: String
    ) throws {
        let party = RelyingParty(publicURL: url, others: ["https://app.example.org"])
        #expect(party?.id == id)
        guard let party else { return }
        let challenge = #""challenge":"AA","type":"webauthn.get""#
        let data = Digest.sha256([UInt8](party.id.utf8)) + [1, 0, 0, 0, 0]
        let key = try Ed25519PrivateKey.generate()
        let cose = try COSEKey(encoded: [0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 0x20] + key.publicKey.raw)
        for (from, reason) in [
            (origin, nil), ("https://app.example.org", nil), (origin + "0", PasskeyError.wrongOrigin),
            ("https://evil.test", .wrongOrigin),
        ] {
            let client = try ClientData([UInt8](#"{"origin":"\#(from)",\#(challenge)}"#.utf8))
            let signature = try key.sign(data + client.hash)
            let error = refusal { () throws(PasskeyError) in
                try party.assert(
                    client,
                    authenticatorData: data,
                    signature: signature,
                    key: cose,
                    requiresVerification: false
                )
            }
            #expect(error == reason, "\(from)")
        }
    }
}
