import Platform
import Transport

/// Where the server is.
struct ServerAddress: Equatable {
    let url: ClientURL

    /// Reads `https://HOST[:PORT]`; plain http is for this machine only, because tokens would cross the network in the clear.
    init(_ text: String) throws(CommandFailure) {
        let full = text.contains("://") ? text : "https://" + text
        guard let url = ClientURL(full), url.target == "/", ["https", "http"].contains(url.scheme) else {
            throw CommandFailure(
                "\(VisibleText.line(text)) is not a server: expected https://HOST:PORT",
                exitCode: ExitCode.usage
            )
        }
        guard url.isSecure || ["localhost", "127.0.0.1", "::1"].contains(url.host) else {
            throw CommandFailure("\(text) would send the sign-in in the clear: use https", exitCode: ExitCode.usage)
        }
        self.url = url
    }

    /// The form in which it is kept and compared.
    var text: String { "\(url.scheme)://\(url.authority)" }

    /// A place on the server; parts that come from people must be percent-encoded.
    func place(_ target: String) throws(CommandFailure) -> ClientURL {
        guard let place = url.with(target: target) else {
            throw CommandFailure("\(VisibleText.line(target)) cannot be asked for", exitCode: ExitCode.usage)
        }
        return place
    }
}
