import COpenSSL

/// A TLS failure, with the stage and OpenSSL's own words; it never holds key material.
package struct TLSError: Error, CustomStringConvertible {
    /// What was being done, for example `load certificate chain`.
    package let stage: String
    /// What OpenSSL says.
    package let reason: String

    /// The stage and the reason.
    package var description: String { "tls: \(stage): \(reason)" }

    init(stage: String, reason: String) {
        self.stage = stage
        self.reason = reason
    }

    /// Takes what this thread's OpenSSL error queue holds, and empties it.
    static func fromQueue(stage: String) -> TLSError {
        var reasons: [String] = []
        while true {
            let code = ERR_get_error()
            if code == 0 { break }
            let text = unsafe ERR_reason_error_string(code).map { unsafe String(cString: $0) }
            reasons.append(text ?? "error \(code)")
        }
        return TLSError(stage: stage, reason: reasons.isEmpty ? "unknown" : reasons.joined(separator: "; "))
    }
}
