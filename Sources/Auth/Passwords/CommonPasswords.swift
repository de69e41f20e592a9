/// Passwords that are guessed first, by the way in which people make them.
///
/// A list of the passwords that leaked most often consists, at our minimum length, of few kinds: a common word or two with
/// digits and signs around them, walks over the keyboard, and both together. The kinds are recognised, not the list: two
/// words of `CommonWords`, dressed, are some millions of passwords.
enum CommonPasswords {
    /// Pieces of each kind that a password may consist of at most to count as common; what has more is a passphrase.
    private static let words = 2
    private static let runs = 2
    private static let pieces = 3
    /// Digits of a date, or of half a telephone number; longer numbers are nobody's first guess.
    private static let longestNumber = 8
    /// Fewer keys in a row are chance.
    private static let shortestWalk = 3

    /// Whether a lower-cased password is on the list, or is made of nothing but common pieces.
    static func contains(_ password: String) -> Bool {
        if whole.contains(password) { return true }
        let characters = Array(password)
        if isDoubled(characters) { return true }
        return isMade(characters, plain: characters.map { substitutions[$0] ?? $0 })
    }

    /// Whether a password is one common word said several times, with anything but letters around it.
    private static func isDoubled(_ characters: [Character]) -> Bool {
        let trimmed = characters.drop { !$0.isLetter }
        guard let end = trimmed.lastIndex(where: \.isLetter) else { return false }
        let word = trimmed[...end].map { substitutions[$0] ?? $0 }
        return CommonWords.all.contains { listed in
            let letters = Array(listed)
            return word.count > letters.count && word.count.isMultiple(of: letters.count)
                && word.indices.allSatisfy { word[$0] == letters[$0 % letters.count] }
        }
    }

    /// What the beginning of a password was made of so far.
    private struct Recipe: Hashable {
        var words = 0
        var runs = 0
    }

    /// Whether the whole password can be cut into common words, walks, numbers and signs, and few of them.
    private static func isMade(_ typed: [Character], plain: [Character]) -> Bool {
        var reached: [Set<Recipe>] = Array(repeating: [], count: typed.count + 1)
        reached[0] = [Recipe()]
        for start in typed.indices {
            for recipe in reached[start] {
                if !typed[start].isLetter, !typed[start].isNumber { reached[start + 1].insert(recipe) }
                for end in wordEnds(plain, from: start)
                where recipe.words < words && recipe.words + recipe.runs < pieces {
                    reached[end].insert(Recipe(words: recipe.words + 1, runs: recipe.runs))
                }
                for end in runEnds(typed, from: start) where recipe.runs < runs && recipe.words + recipe.runs < pieces {
                    reached[end].insert(Recipe(words: recipe.words, runs: recipe.runs + 1))
                }
            }
        }
        // Signs alone are no common piece.
        return reached[typed.count].contains { $0.words + $0.runs > 0 }
    }

    private static func wordEnds(_ plain: [Character], from start: Int) -> [Int] {
        CommonWords.lengths.compactMap { length in
            let end = start + length
            guard end <= plain.count, CommonWords.all.contains(String(plain[start..<end])) else { return nil }
            return end
        }
    }

    /// Where a number or a walk over the keyboard that begins at `start` may end.
    private static func runEnds(_ typed: [Character], from start: Int) -> Set<Int> {
        var ends: Set<Int> = []
        var end = start
        while end < typed.count, end - start < longestNumber, typed[end].isNumber {
            end += 1
            ends.insert(end)
        }
        for walk in walks {
            var length = shortestWalk
            while start + length <= typed.count, walk.contains(String(typed[start..<start + length])) {
                ends.insert(start + length)
                length += 1
            }
        }
        return ends
    }

    /// The letters behind the usual substitutions.
    private static let substitutions: [Character: Character] = [
        "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g", "@": "a", "$": "s", "!": "i",
    ]

    /// Rows and columns of the usual keyboards, and the alphabet, there and back.
    private static let walks: [String] = {
        let there = [
            "1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./", "qwertzuiop", "azertyuiop", "yxcvbnm",
            "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/", "zaq1xsw2cde3vfr4bgt5nhy6mju7",
            "1qazzaq12wsxxsw23edccde3", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0",
            "!@#$%^&*()_+", "qazwsxedcrfvtgbyhnujmikolp", "abcdefghijklmnopqrstuvwxyz", "a1b2c3d4e5f6g7h8", "147258369",
            "159357",
        ]
        return there + there.map { String($0.reversed()) }
    }()

    private static let whole: Set<String> = [
        "abc123abc123", "abcd1234abcd", "correct horse battery staple", "correcthorsebatterystaple", "ihateyou1234",
        "iloveyousomuch", "imissyou1234", "thisismypassword", "trustno1trustno1", "woaini1314520",
        "qwerasdfzxcv", "qwer1234qwer", "asdfqwerzxcv",
    ]
}
