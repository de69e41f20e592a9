import Platform

/// A secret that the installation makes for itself, once.
enum GeneratedSecret {
    /// Letters and digits alone, so that a secret needs no quoting in URLs, SQL and shells.
    ///
    /// 62 characters give 5.95 bits each, so the usual 43 hold 256.
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")

    static func ensure(_ path: String, length: Int) throws -> Secret {
        if Files.exists(path) {
            let text = String(decoding: try Files.readAll(path, limit: 4096), as: UTF8.self)
            let secret = text.hasSuffix("\n") ? String(text.dropLast()) : text
            guard !secret.isEmpty else {
                throw DataDirectoryError("\(path) is empty: remove it, and it is made anew")
            }
            return Secret(secret)
        }
        // The system's generator is the kernel's.
        var generator = SystemRandomNumberGenerator()
        let text = String((0..<length).map { _ in alphabet[Int.random(in: alphabet.indices, using: &generator)] })
        try Files.writeAtomically(path, Array("\(text)\n".utf8), mode: 0o600)
        return Secret(text)
    }
}
