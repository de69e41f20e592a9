/// How long an account's codes are not looked at after wrong ones.
///
/// It counts by account, whoever tries and from where, and no password step begins it anew. Recovery codes and passkeys are
/// not held up by it: they cannot be guessed, and so nobody who knows only a password can lock its owner out.
package enum FactorBackoff {
    /// Wrong codes before the first wait: a person mistypes, or types the code before last.
    package static let free = 5
    /// The longest wait: at three codes in a million this lets a guesser in once in ten years.
    package static let longest = Duration.seconds(900)

    /// The wait after so many wrong codes in a row: 1, 2, 4 … seconds from the fifth on.
    package static func wait(afterFailures failures: Int) -> Duration {
        guard failures >= free else { return .zero }
        let doublings = min(failures - free, 20)
        return min(.seconds(1 << doublings), longest)
    }
}
