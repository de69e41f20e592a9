/// The event-stream format of server-sent events, written.
package enum ServerSentEvents {
    /// One event; data with line breaks becomes several data lines, and breaks in the other fields are dropped.
    package static func event(id: String?, event: String?, data: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(data.count + 64)
        if let id { appendField("id: ", id, to: &bytes) }
        if let event { appendField("event: ", event, to: &bytes) }
        var lineStart = data.startIndex
        var index = data.startIndex
        while index <= data.endIndex {
            let isEnd = index == data.endIndex
            guard isEnd || data[index] == 0x0A || data[index] == 0x0D else {
                index += 1
                continue
            }
            bytes.append(contentsOf: "data: ".utf8)
            bytes.append(contentsOf: data[lineStart..<index])
            bytes.append(0x0A)
            if !isEnd, data[index] == 0x0D, index + 1 < data.endIndex, data[index + 1] == 0x0A { index += 1 }
            index += 1
            lineStart = index
        }
        bytes.append(0x0A)
        return bytes
    }

    /// A comment, which clients ignore.
    package static func comment(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        appendField(": ", text, to: &bytes)
        bytes.append(0x0A)
        return bytes
    }

    /// What is sent on a quiet stream so that proxies do not cut it.
    package static let keepAlive: [UInt8] = comment("keep-alive")

    /// The time after which the client reconnects.
    package static func retry(milliseconds: Int) -> [UInt8] {
        Array("retry: \(milliseconds)\n\n".utf8)
    }

    private static func appendField(_ name: String, _ value: String, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: name.utf8)
        for byte in value.utf8 where byte != 0x0A && byte != 0x0D && byte != 0 { bytes.append(byte) }
        bytes.append(0x0A)
    }
}
