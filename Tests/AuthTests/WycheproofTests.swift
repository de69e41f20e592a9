import Auth
import Bytes
import Crypto
import FoundationEssentials
import Testing

struct WycheproofTests {
    private func groups(_ file: String) throws -> [JSONValue] {
        let folder = ProcessInfo.processInfo.environment["ERRAND_VECTORS"] ?? "../shared/vectors"
        guard let data = FileManager.default.contents(atPath: "\(folder)/wycheproof/\(file)") else {
            Issue.record("vectors absent: \(file) is not under \(folder); set ERRAND_VECTORS", severity: .warning)
            return []
        }
        let document = try JSONReader.parse([UInt8](data), limits: JSONLimits(maximumBytes: 1 << 24))
        let groups = try #require(document["testGroups"]?.array)
        #expect(Int64(groups.reduce(0) { $0 + ($1["tests"]?.array?.count ?? 0) }) == document["numberOfTests"]?.integer)
        return groups
    }

    private func refusal(_ attempt: () throws(TokenError) -> Void) -> TokenError? {
        do throws(TokenError) {
            try attempt()
            return nil
        } catch {
            return error
        }
    }

    @Test func `the token of RFC 8037 appendix A is accepted`() throws {
        let jwk = #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#
        let key = try JWK(try JSONReader.parse([UInt8](jwk.utf8)))
        let token =
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
            + "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        #expect(try JWS.verify(compact: token, key: key) == [UInt8]("Example of Ed25519 signing".utf8))
        #expect(throws: TokenError.wrongSignature) {
            try JWS.verify(compact: token.replacing("hgyY", with: "hgyZ"), key: key)
        }
    }

    /// No group has an Ed25519 key, so both the keys and the tokens of all groups must be refused, valid or not.
    @Test func `every Wycheproof JWS of another algorithm is refused, and so is its key`() throws {
        let ours = JWK(identifier: "ours", key: try Ed25519PrivateKey(seed: [UInt8](repeating: 7, count: 32)).publicKey)
        var (accepted, refused) = (0, 0)
        let groups = try groups("json_web_signature_test.json")
        for group in groups {
            let key = try #require(group["public"] ?? group["private"])
            #expect(refusal { () throws(TokenError) in _ = try JWK(key) } == .unusableKey)
            for test in group["tests"]?.array ?? [] {
                let token = test["jws"]?.string ?? String(decoding: (test["jws"] ?? .null).encoded(), as: UTF8.self)
                let error = refusal { () throws(TokenError) in _ = try JWS.verify(compact: token, key: ours) }
                if error == nil { accepted += 1 } else { refused += 1 }
                #expect(error != nil && error != .wrongSignature, "tcId \(test["tcId"]?.integer ?? -1)")
            }
        }
        print("json_web_signature_test.json: \(accepted) accepted, \(refused) refused, 0 skipped")
        #expect(accepted == 0)
        #expect(groups.isEmpty || refused > 0)
    }

    @Test func `every key of the Wycheproof key sets is refused`() throws {
        var refused = 0
        let groups = try groups("json_web_key_test.json")
        for group in groups {
            for key in (group["public"] ?? group["private"])?["keys"]?.array ?? [] {
                #expect(refusal { () throws(TokenError) in _ = try JWK(key) } == .unusableKey)
                refused += 1
            }
        }
        print("json_web_key_test.json: 0 keys accepted, \(refused) refused, 0 skipped")
        #expect(groups.isEmpty || refused > 0)
    }

    @Test(arguments: [
        #""alg":"RS256""#, #""alg":1"#, #""use":"enc""#, #""key_ops":["sign"]"#, #""key_ops":"verify""#, #""d":"AAAA""#,
        #""kid":1"#,
    ])
    func `a key meant for something else is refused`(member: String) throws {
        let key = #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#
        let good = key + #","alg":"EdDSA","use":"sig","key_ops":["verify"],"kid":"a"}"#
        #expect(throws: Never.self) { try JWK(try JSONReader.parse([UInt8](good.utf8))) }
        let wrong = try JSONReader.parse([UInt8]((key + "," + member + "}").utf8))
        #expect(throws: TokenError.unusableKey) { try JWK(wrong) }
    }
}
