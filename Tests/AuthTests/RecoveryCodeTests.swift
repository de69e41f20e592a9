import Auth
import Core
import Testing

/// Checklist items 36 and 37, the part that needs no store.
struct RecoveryCodeTests {
    private let user = UserID(high: 1, low: 2)

    @Test func `item 37: a person gets ten codes of 140 random bits`() {
        let codes = RecoveryCode.makeAll()
        #expect(codes.count == 10)
        #expect(Set(codes.map(\.text)).count == 10)
        for code in codes {
            let groups = code.text.split(separator: "-")
            #expect(groups.count == 7 && groups.allSatisfy { $0.utf8.count == 4 })
        }
        #expect(RecoveryCode.length * 5 >= 128)
        #expect(Set(RecoveryCode.makeAll().flatMap { $0.text }).count > 25)
    }

    @Test func `item 37: only a hash bound to the person is kept`() {
        let code = RecoveryCode.make()
        #expect(code.hash(for: user).count == 32)
        #expect(code.hash(for: user) != code.hash(for: UserID(high: 1, low: 3)))
        #expect(code.hash(for: user) != RecoveryCode.make().hash(for: user))
    }

    @Test func `a code may be typed in capitals, with other dashes and look-alikes`() throws {
        let text = "0011-2345-6789-abcd-efgh-jkmn-pqrs"
        let hash = try #require(RecoveryCode(typed: text)).hash(for: user)
        for typed in [
            text.uppercased(), text.filter { $0 != "-" }, "  " + text.replacing("-", with: " "),
            "oOiL-2345-6789-ABCD-efgh-jkmn-pqrs",
        ] {
            #expect(RecoveryCode(typed: typed)?.hash(for: user) == hash, "\(typed)")
        }
        #expect(RecoveryCode(typed: text)?.text == text)
    }

    @Test(arguments: [
        "", "0011-2345-6789-abcd-efgh-jkmn-pqr", "0011-2345-6789-abcd-efgh-jkmn-pqrst",
        "0011-2345-6789-abcd-efgh-jkmn-pqru", "0011-2345-6789-abcd-efgh-jkmn-pqr_", "123456",
        String(repeating: "-", count: 200) + "0011-2345-6789-abcd-efgh-jkmn-pqrs",
    ])
    func `what is no code is not read`(typed: String) {
        #expect(RecoveryCode(typed: typed) == nil)
    }

    @Test func `item 36: from the fifth wrong code the wait doubles, up to a quarter of an hour`() {
        let seconds = (0...20).map { Int(FactorBackoff.wait(afterFailures: $0).components.seconds) }
        #expect(seconds.prefix(5) == [0, 0, 0, 0, 0])
        #expect(seconds[5...14] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
        #expect(seconds[15...].allSatisfy { $0 == 900 })
        #expect(FactorBackoff.wait(afterFailures: .max) == .seconds(900))
        #expect(FactorBackoff.wait(afterFailures: -1) == .zero)
    }
}
