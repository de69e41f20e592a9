import Testing

@testable import Auth

struct PasswordRulesTests {
    @Test(arguments: [
        "harbour copper lantern", "kJ8#vQ2!mZ5p", "ça va bien là-bas", "ünïcödé wörks", "an errand for the tall ships",
        "mary had 1 little lamb", "83$29!71#604%952", "402958716023948571602394", "🎈🌊🐚🪵🧭⚓️🌙🐢🪁🍋🧵🫙",
        String(repeating: "abcdefgh-Zq", count: 23),
    ])
    func `a good password passes`(password: String) {
        #expect(PasswordRules.check(password, context: ["mary@example.com", "Ad"]) == nil)
    }

    @Test func `length is counted in code points, at both ends`() {
        let twelve = "ä1ö2ü3ß4é5à6"
        #expect(PasswordRules.check(twelve, context: []) == nil)
        #expect(PasswordRules.check(String(twelve.dropLast()), context: []) == .tooShort)
        let long = String(repeating: "x7-Kq9_w", count: 32)
        #expect(PasswordRules.check(long, context: []) == nil)
        #expect(PasswordRules.check(long + "y", context: []) == .tooLong)
        #expect(PasswordRules.check("", context: []) == .tooShort)
        #expect(PasswordRules.maximumBytes == 1024)
    }

    @Test(arguments: [
        "password1234", "Password1234!", "P@ssw0rd!!!!", "qwertyuiop12", "1q2w3e4r5t6y", "administrator1",
        "passwordpassword", "iloveyou2026", "Welcome12345", "correcthorsebatterystaple", "!!changeme!!2026",
        "letmein_12345", "sunshineprincess", "Dragon-Monkey-1999", "qazwsxedcrfv", "zaq1xsw2cde3",
        "1qaz2wsx3edc4rfv", "qwerty!@#123456", "l1verp00l12345", "password!password1", "poiuytrewq12", "asdfghjkl;'1",
        "20261231-1234", "491701234567", "!@#$%^&*()_+", "(*&^%$#@!)(*",
    ])
    func `a common password is refused, also in disguise`(password: String) {
        #expect(PasswordRules.check(password, context: []) == .common)
    }

    @Test func `item 26: the common kinds are more than three thousand passwords of our length, each refused`() {
        let tails = [
            "123", "1234", "12345", "123456", "!", "1!", "2024", "2025!", "_2026", "01", "007", "@123", "123!",
        ]
        var refused = 0
        for word in CommonWords.all.sorted() {
            for tail in tails where word.count + tail.count >= PasswordRules.lengths.lowerBound {
                for form in [word + tail, word.prefix(1).uppercased() + word.dropFirst() + tail] {
                    let rejection = PasswordRules.check(form, context: [])
                    guard rejection == .common else {
                        Issue.record("\(form): \(String(describing: rejection))")
                        return
                    }
                    refused += 1
                }
            }
        }
        #expect(refused > 3_000)
    }

    @Test(arguments: ["aaaaaaaaaaaa", "abababababab", "123123123123", "123456789012", "abcdefghijkl", "zyxwvutsrqpo"])
    func `a repetition or a run is refused`(password: String) {
        #expect(PasswordRules.check(password, context: []) == .repetitive)
    }

    @Test(arguments: [
        ("Margaret2026!", "margaret"), ("margaret-1234", "margaret"), ("acmecorp4567", "acmecorp"),
        ("errand-79461", "errand"),
    ])
    func `little more than a name is refused with the name`(password: String, word: String) {
        let words = ["Margaret@example.com", "AcmeCorp"]
        #expect(PasswordRules.check(password, context: words) == .containsContext(word))
        #expect(PasswordRules.check(password + " by the sea", context: words) == nil)
    }

    @Test func `a rejection says what is wrong and never the password`() {
        #expect(PasswordRejection.tooShort.description.contains("12"))
        #expect(PasswordRejection.tooLong.description.contains("256"))
        #expect(PasswordRejection.containsContext("errand").description.contains("errand"))
    }

    @Test func `a password is hashed at the standard cost, matched, and told from another`() throws {
        let stored = try PasswordCheck.hash("harbour copper lantern")
        #expect(stored.hasPrefix("$argon2id$v=19$m=65536,t=3,p=4$"))
        #expect(try PasswordCheck.matches("harbour copper lantern", stored))
        #expect(try !PasswordCheck.matches("harbour copper lanterm", stored))
        #expect(!PasswordCheck.needsRehash(stored))
    }

    @Test func `the decoy costs what a real hash does and matches nothing`() throws {
        #expect(!PasswordCheck.needsRehash(PasswordCheck.decoy))
        #expect(try !PasswordCheck.matches("", PasswordCheck.decoy))
    }
}
