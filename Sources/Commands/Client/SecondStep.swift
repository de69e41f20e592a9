import Bytes

/// The second step of a sign-in.
enum SecondStep {
    /// Digits of a code, without the space in the middle.
    private static let codeLength = 6
    /// Recovery codes are much longer than codes.
    private static let recoveryLength = 20

    /// Whether a text has the form of an authenticator's code, which no password has.
    static func isCode(_ text: String) -> Bool {
        let digits = text.filter { $0 != " " }
        return digits.utf8.count == codeLength && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// The request that ends the sign-in with what was typed: a code, or a recovery code.
    static func request(_ interimToken: String, typed: String) -> JSONValue {
        let isRecovery = typed.filter { $0 != "-" && $0 != " " }.utf8.count >= recoveryLength
        return .object(
            JSONObject([
                ("interim_token", .string(interimToken)), (isRecovery ? "recovery_code" : "otp", .string(typed)),
            ])
        )
    }
}
