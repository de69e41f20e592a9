import Bytes
import COpenSSL
import HTTP

/// The keys of the opening handshake.
enum WebSocketKey {
    /// The answer to a client's key.
    static func accept(_ key: String) -> String {
        let input = WebSocketHandshake.acceptInput(key: key)
        var digest = [UInt8](repeating: 0, count: Int(SHA_DIGEST_LENGTH))
        unsafe SHA1(input, input.count, &digest)
        return Base64.encode(digest)
    }

    /// A fresh key; it only has to differ, so that no cache can answer.
    static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        return Base64.encode((0..<16).map { _ in generator.next() as UInt8 })
    }
}
