import Testing

@testable import Auth

struct UserCodeTests {
    private static let letters = Set("BCDFGHJKLMNPQRSTVWXZ")

    @Test func `item 46: codes are eight of twenty letters, none of them a vowel, each as likely as the others`() {
        var counts: [Character: Int] = [:]
        for _ in 0..<5_000 {
            let code = UserCode.make()
            #expect(code.letters.count == 8 && Set(code.letters).isSubset(of: Self.letters))
            for letter in code.letters { counts[letter, default: 0] += 1 }
        }
        #expect(counts.count == 20)
        // 2,000 expected each; six deviations of about 44.
        #expect(counts.values.allSatisfy { (1_735...2_265).contains($0) })
    }

    @Test func `item 46: case, dashes and spaces do not matter, everything else does`() {
        let code = UserCode.make()
        let text = code.shown
        #expect(text.utf8.count == 9 && text.dropFirst(4).first == "-")
        for same in [text, text.lowercased(), code.letters, " \(text)\n", text.replacing("-", with: " — ")] {
            #expect(UserCode.parse(same) == code)
        }
        for other in [
            "", "A" + code.letters.dropFirst(), code.letters + "B", String(code.letters.dropLast()), "ßBCDFGHJ",
        ] {
            #expect(UserCode.parse(other) == nil, "\(other)")
        }
        #expect(UserCode.make().hash != code.hash && UserCode.parse(text)?.hash == code.hash)
    }

    @Test(arguments: OpaqueToken.Kind.allCases)
    func `item 60: secrets are 256 bits of one kind each, and bind forms`(kind: OpaqueToken.Kind) {
        let (one, two) = (OpaqueToken.make(kind), OpaqueToken.make(kind))
        #expect(one.token != two.token && one.hash != two.hash && one.hash.count == 32)
        #expect(OpaqueToken.parse(one.token, kind)?.hash == one.hash)
        for other in OpaqueToken.Kind.allCases where other != kind {
            #expect(OpaqueToken.parse(one.token, other) == nil)
        }
        #expect(one.admits(form: one.formToken) && !one.admits(form: two.formToken) && !one.admits(form: ""))
        for text in ["", kind.rawValue, one.token + "A", String(one.token.dropLast())] {
            #expect(OpaqueToken.parse(text, kind) == nil)
        }
    }
}
