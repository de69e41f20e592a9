/// A cryptographic operation that could not be carried out, with the step that failed and never a key or a text.
package struct CryptoError: Error, Equatable, CustomStringConvertible {
    /// What kind of failure it was.
    package enum Reason: String, Sendable {
        case invalidKey = "the key has the wrong length or form"
        case invalidNonce = "the nonce has the wrong length"
        case invalidSalt = "the salt has the wrong length"
        case invalidParameters = "the parameters are outside the limits"
        case malformedHash = "the stored hash is malformed"
        case notAuthentic = "the text was altered or the key is another"
        case outOfMemory = "there is not enough memory"
        case failed = "the library refused"
    }

    /// The step that failed.
    package let stage: String
    /// Why it failed.
    package let reason: Reason

    /// Makes a failure.
    package init(stage: String, reason: Reason) {
        self.stage = stage
        self.reason = reason
    }

    package var description: String { "\(stage): \(reason.rawValue)" }
}
