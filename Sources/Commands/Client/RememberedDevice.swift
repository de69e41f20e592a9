import Bytes

/// What makes this device known at its next sign-in, kept when nobody is signed in any more.
struct RememberedDevice: Equatable, Sendable {
    private let url: String
    private let email: String
    private let token: String

    /// What is left of a sign-in that ends; nil when it had no device token.
    init?(_ credentials: Credentials) {
        guard let token = credentials.deviceToken else { return nil }
        (url, email, self.token) = (credentials.url, credentials.email, token)
    }

    /// Reads the text of the file; nil when it is none of ours.
    init?(decoding bytes: [UInt8]) {
        guard let json = try? JSONReader.parse(bytes), let url = json["url"]?.string,
            let email = json["email"]?.string, let token = json["device_token"]?.string
        else { return nil }
        (self.url, self.email, self.token) = (url, email, token)
    }

    /// The token for an account of a server; nil for any other than the one that signed in.
    func token(for email: String, at url: String) -> String? {
        email == self.email && url == self.url ? token : nil
    }

    /// The text of the file.
    func encoded() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("url", url)
        writer.member("email", email)
        writer.member("device_token", token)
        writer.endObject()
        return writer.bytes + [UInt8(ascii: "\n")]
    }
}
