package import Bytes
import Crypto

/// What became of a code that somebody typed.
package enum TOTPVerdict: Sendable, Equatable {
    /// Right; the step must be kept, so that no code of it or of an earlier one is taken again.
    case accepted(step: Int64)
    /// Right, but its step or a later one has been used.
    case reused
    /// Not a code of the secret within the window.
    case wrong
}

/// Time-based one-time codes (RFC 6238).
package struct TOTP: Sendable {
    /// The hash function under the code.
    package enum Hash: Sendable { case sha1, sha256, sha512 }

    /// What every authenticator application expects: SHA-1, six digits, 30 seconds.
    package static let standard = TOTP(hash: .sha1, digits: 6)
    /// Seconds of a step.
    package static let period: Int64 = 30
    /// Steps by which a code may be early or late; clocks of telephones differ, and people type slowly.
    package static let drift: Int64 = 1

    /// The hash function.
    package let hash: Hash
    /// The number of digits of a code.
    package let digits: Int

    /// A scheme; `digits` is from 6 to 8.
    package init(hash: Hash, digits: Int) {
        self.hash = hash
        self.digits = digits
    }

    /// The step that a time lies in.
    package static func step(at time: Timestamp) -> Int64 {
        let (seconds, rest) = time.milliseconds.quotientAndRemainder(dividingBy: 1000 * period)
        return rest < 0 ? seconds - 1 : seconds
    }

    /// The code of a step.
    package func code(_ secret: [UInt8], step: Int64) -> String {
        var message: [UInt8] = []
        message.appendBigEndian(step)
        let mac: [UInt8]
        switch hash {
        case .sha1: mac = Digest.hmacSHA1(key: secret, message)
        case .sha256: mac = Digest.hmacSHA256(key: secret, message)
        case .sha512: mac = Digest.hmacSHA512(key: secret, message)
        }
        let offset = Int((mac.last ?? 0) & 0x0f)
        let word = mac[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
        let modulus = (0..<digits).reduce(UInt32(1)) { power, _ in power * 10 }
        let number = String(word % modulus)
        return String(repeating: "0", count: digits - number.count) + number
    }

    /// Judges a code typed at `now`; `lastStep` is the last step that was accepted.
    ///
    /// Every candidate is compared in a time that tells nothing of the code.
    package func judge(_ typed: String, secret: [UInt8], at now: Timestamp, after lastStep: Int64?) -> TOTPVerdict {
        // Applications show codes in two groups.
        let given = [UInt8](typed.utf8.filter { $0 != UInt8(ascii: " ") })
        let current = Self.step(at: now)
        var verdict = TOTPVerdict.wrong
        for step in current - Self.drift...current + Self.drift {
            let matches = constantTimeEqual([UInt8](code(secret, step: step).utf8), given)
            guard matches else { continue }
            if let lastStep, step <= lastStep {
                if verdict == .wrong { verdict = .reused }
            } else if case .accepted = verdict {
                continue
            } else {
                verdict = .accepted(step: step)
            }
        }
        return verdict
    }
}
