import Auth
import Bytes
import FoundationEssentials
import Testing

/// A provider's keys and signatures, held to the outside vectors.
struct ProviderKeyTests {
    private func groups(_ file: String) throws -> [JSONValue] {
        let folder = ProcessInfo.processInfo.environment["ERRAND_VECTORS"] ?? "../shared/vectors"
        guard let data = FileManager.default.contents(atPath: "\(folder)/wycheproof/\(file)") else {
            Issue.record("vectors absent: \(file) is not under \(folder); set ERRAND_VECTORS", severity: .warning)
            return []
        }
        let document = try JSONReader.parse([UInt8](data), limits: JSONLimits(maximumBytes: 1 << 24))
        return try #require(document["testGroups"]?.array)
    }

    /// Why a set refuses a token; nil when it does not.
    private func refusal(_ token: String, _ keys: [JSONValue]) -> TokenError? {
        do throws(TokenError) {
            let set = try ProviderKeySet(.object(JSONObject([("keys", .array(keys))])))
            _ = try set.verify(token)
            return nil
        } catch {
            return error
        }
    }

    /// Valid to the authors of the vectors, and refused here on purpose: a token without claims says nothing, and the key of
    /// RFC 7520 is for PS256 while its token says PS384.
    private static let refusedOnPurpose: [Int64: TokenError] = [
        259: .malformed, 272: .malformed, 346: .wrongAlgorithm, 350: .wrongAlgorithm,
    ]

    @Test func `every Wycheproof JWS of a provider's algorithms is judged right, and all others are refused`() throws {
        let known = Set(ProviderKey.Algorithm.allCases.map(\.rawValue))
        var (accepted, refused, skipped) = (0, 0, 0)
        let groups = try groups("json_web_signature_test.json")
        for group in groups {
            let key = try #require(group["public"] ?? group["private"])
            let isKnown = key["alg"]?.string.map { known.contains($0) } ?? false
            for test in group["tests"]?.array ?? [] {
                let token = test["jws"]?.string ?? String(decoding: (test["jws"] ?? .null).encoded(), as: UTF8.self)
                let number = try #require(test["tcId"]?.integer)
                let error = refusal(token, [key])
                if let expected = Self.refusedOnPurpose[number] {
                    skipped += 1
                    #expect(error == expected, "tcId \(number)")
                    continue
                }
                let isRight = isKnown && test["result"]?.string == "valid"
                #expect((error == nil) == isRight, "tcId \(number): \(String(describing: error))")
                if error == nil { accepted += 1 } else { refused += 1 }
            }
        }
        print(
            "json_web_signature_test.json by provider keys: \(accepted) accepted, \(refused) refused, \(skipped) on purpose"
        )
        #expect(groups.isEmpty || accepted > 10 && refused > 300)
    }

    @Test func `every Wycheproof key set gives the keys that are sound and no other`() throws {
        var sound = 0
        let groups = try groups("json_web_key_test.json")
        for group in groups {
            let keys = try #require((group["public"] ?? group["private"])?["keys"]?.array)
            for test in group["tests"]?.array ?? [] {
                let isRight = test["result"]?.string == "valid" && keys.allSatisfy { $0["kty"]?.string == "RSA" }
                let token = try #require(test["jws"]?.string)
                let error = refusal(token, keys)
                // Of a set with a shared secret in it the other keys count: a provider's set holds none of ours.
                let isMixed = group["comment"]?.string == "jws_mixedSymmetryKeyset"
                #expect((error == nil) == isRight || isMixed, "tcId \(test["tcId"]?.integer ?? -1)")
                if error == nil { sound += 1 }
            }
        }
        #expect(groups.isEmpty || sound > 0)
    }

    private static let ed25519 = #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#
    private static let p256 =
        #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#
        + #""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#

    @Test(arguments: [
        (ed25519, ProviderKey.Algorithm.eddsa), (ed25519 + #","alg":"EdDSA","use":"sig""#, .eddsa),
        (p256, .es256), (p256 + #","alg":"ES256","key_ops":["verify"],"x5t":"abc""#, .es256),
    ])
    func `a key has one algorithm, whatever it leaves out`(text: String, algorithm: ProviderKey.Algorithm) throws {
        let key = try ProviderKey(try JSONReader.parse([UInt8]((text + "}").utf8)))
        #expect(key.algorithm == algorithm)
    }

    @Test(arguments: [
        ed25519 + #","alg":"RS256""#, ed25519 + #","use":"enc""#, ed25519 + #","key_ops":["sign"]"#,
        ed25519 + #","key_ops":"verify""#, ed25519 + #","d":"AAAA""#, ed25519 + #","kid":1"#, ed25519 + #","alg":1"#,
        p256 + #","alg":"ES384""#, p256 + #","alg":"HS256""#, p256 + #","k":"AAAA""#,
        #"{"kty":"oct","k":"AAAA","alg":"HS256""#, #"{"kty":"EC","crv":"P-384","x":"AA","y":"AA""#,
        #"{"kty":"RSA","n":"AQAB","e":"AQAB""#, #"{"kty":"RSA","n":"AQAB""#, "{",
    ])
    func `a key for something else, or a weak one, is none`(text: String) throws {
        let key = try JSONReader.parse([UInt8]((text + "}").utf8))
        #expect(throws: TokenError.unusableKey) { try ProviderKey(key) }
    }

    @Test func `items 2 and 4: of two keys with one name neither is believed, and a nameless token needs the only key`()
        throws
    {
        let good = try IDTokenFixture()
        let key = good.publicKey(named: "one")
        #expect(refusal(try good.token(), [key]) == nil)
        #expect(refusal(try good.token(), [key, key]) == .unknownKey)
        #expect(refusal(try good.token(header: ["alg": "EdDSA"]), [key]) == nil)
        #expect(refusal(try good.token(header: ["alg": "EdDSA"]), [key, good.publicKey(named: "two")]) == .unknownKey)
        #expect(refusal(try good.token(header: ["alg": "EdDSA", "kid": "two"]), [key]) == .unknownKey)
        #expect(refusal(try good.token(header: ["alg": "EdDSA", "kid": "../one"]), [key]) == .unknownKey)
    }
}
