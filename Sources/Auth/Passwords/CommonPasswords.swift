/// Passwords that lists of leaked passwords agree on, as far as they can reach the minimum length.
enum CommonPasswords {
    /// Whether a lower-cased password is on the list, or is a listed word dressed with digits and signs.
    static func contains(_ password: String) -> Bool {
        if whole.contains(password) { return true }
        let trimmed = password.drop { !$0.isLetter }
        guard let end = trimmed.lastIndex(where: \.isLetter) else { return true }
        let word = plain(trimmed[...end])
        return words.contains(word) || isDoubled(word)
    }

    /// Whether a word is a listed one said several times.
    private static func isDoubled(_ word: String) -> Bool {
        words.contains { listed in
            word.count > listed.count && word.count.isMultiple(of: listed.count)
                && word == String(repeating: listed, count: word.count / listed.count)
        }
    }

    /// The letters behind the usual substitutions.
    private static func plain(_ text: Substring) -> String {
        String(text.map { substitutions[$0] ?? $0 })
    }

    private static let substitutions: [Character: Character] = [
        "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g", "@": "a", "$": "s", "!": "i",
    ]

    private static let words: Set<String> = [
        "abcdef", "abcdefg", "abcdefgh", "access", "adgjmptw", "admin", "administrator", "alexander", "amanda",
        "andrea",
        "andrew", "angel", "anthony", "asdf", "asdfasdf", "asdfgh", "asdfghjkl", "ashley", "austin", "azerty",
        "azertyuiop", "babygirl", "bailey", "banana", "barcelona", "baseball", "basketball", "batman", "biteme",
        "blahblah",
        "blink", "brandon", "buster", "butterfly", "changeit", "changeme", "charlie", "chelsea", "chocolate",
        "computer",
        "cookie", "daniel", "database", "default", "diamond", "donald", "dragon", "elizabeth", "enter", "everton",
        "facebook", "ferrari", "flower", "football", "freedom", "fuckyou", "george", "ginger", "google", "guest",
        "hannah", "harley", "hello", "helloworld", "hockey", "hunter", "iloveyou", "internet", "jennifer", "jessica",
        "jordan", "joshua", "justin", "killer", "letmein", "letmeinplease", "liverpool", "login", "london", "loveme",
        "lovely", "maggie", "manchester", "martin", "master", "matrix", "matthew", "michael", "michelle", "monkey",
        "mustang", "mypassword", "naruto", "newpassword", "nicole", "nothing", "opensesame", "pass", "passpass",
        "passphrase", "passwd", "password", "passwort", "patrick", "pepper", "pokemon", "princess", "purple", "qazwsx",
        "qazwsxedc", "qazwsxedcrfv", "qwert", "qwerty", "qwertyqwerty", "qwertyui", "qwertyuiop", "qwertz",
        "qwertzuiop",
        "ranger", "robert", "root", "samantha", "samsung", "secret", "server", "shadow", "slipknot", "soccer", "sophie",
        "starwars", "summer", "sunshine", "superman", "superuser", "supervisor", "system", "taylor", "tekkit", "test",
        "testing", "testtest", "thomas", "tigger", "trustnoone", "user", "username", "welcome", "whatever", "william",
        "winter", "yourpassword", "zxcvbn", "zxcvbnm",
    ]

    private static let whole: Set<String> = [
        "0987654321qwerty", "1234567890qwerty", "123456789abc", "12345678900987654321", "123456qwerty", "123qweasdzxc",
        "147258369000", "1q2w3e4r5t6y", "1q2w3e4r5t6y7u", "1q2w3e4r5t6y7u8i", "1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc",
        "1qaz2wsx3edc4rfv", "1qazxsw23edc", "1qazzaq12wsx", "a1b2c3d4e5f6", "abc123abc123", "abcd1234abcd",
        "asdfghjkl;'", "asdfghjklqwertyuiop", "correct horse battery staple", "correcthorsebatterystaple",
        "iloveyousomuch", "ihateyou1234", "imissyou1234", "mypassword123", "o0i9u8y7t6r5", "p0o9i8u7y6t5",
        "passw0rd1234", "q1w2e3r4t5y6", "q1w2e3r4t5y6u7i8", "qazwsx123456", "qwer1234qwer", "qwerasdfzxcv",
        "qwertyuiop[]", "qwertyuiopasdfghjkl", "qwertyuiopasdfghjklzxcvbnm", "thisismypassword", "trustno1trustno1",
        "woaini1314520", "zaq12wsxcde3", "zaq1xsw2cde3", "zxcvbnmasdfghjkl", "zxcvbnm,./12",
    ]
}
