import Bytes

/// What the client of a stream's WebSocket and its server say beside the events.
enum StreamMessage {
    /// The token of an `auth` message, empty when the message carries none; nil for any other message.
    static func token(in text: String) -> String? {
        guard let message = try? JSONReader.parse(Array(text.utf8)), message["type"]?.string == "auth" else {
            return nil
        }
        return message["access_token"]?.string ?? ""
    }

    /// The answer to an `auth` message with a good token.
    static func accepted(until end: Timestamp, now: Timestamp) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", "auth_ok")
        writer.member("expires_in", max(0, (end.milliseconds - now.milliseconds) / 1_000))
        writer.endObject()
        return writer.bytes
    }
}
