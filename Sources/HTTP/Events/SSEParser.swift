/// One event as a client receives it.
package struct ServerSentEvent: Sendable, Equatable {
    /// The last event identifier seen so far in the stream.
    package var id: String?
    /// The event's type; `message` when the stream names none.
    package var event: String
    /// The data lines, joined by line feeds.
    package var data: [UInt8]

    /// Makes an event.
    package init(id: String?, event: String, data: [UInt8]) {
        self.id = id
        self.event = event
        self.data = data
    }
}

/// The stream holds an event larger than the reader allows.
package struct EventTooLargeError: Error, Sendable {
    /// The limit that was exceeded, in bytes.
    package let limit: Int

    /// Makes the error with the limit.
    package init(limit: Int) {
        self.limit = limit
    }
}

/// Reads an event stream fed in pieces of any size.
package struct SSEParser: Sendable {
    private let maximumEvent: Int
    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var eventType = ""
    private var lastCarriageReturn = false
    private var isFirstLine = true

    /// The identifier to send as Last-Event-ID when reconnecting.
    package private(set) var lastEventID: String?
    /// The reconnection time that the stream asked for, in milliseconds.
    package private(set) var retryMilliseconds: Int?

    /// Makes a parser that refuses an event larger than `maximumEvent` bytes.
    package init(maximumEvent: Int = 1 << 20) {
        self.maximumEvent = maximumEvent
    }

    /// Takes the next bytes and returns the events that they complete.
    package mutating func feed(_ bytes: [UInt8]) throws(EventTooLargeError) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for byte in bytes {
            if byte == 0x0A, lastCarriageReturn {
                lastCarriageReturn = false
                continue
            }
            lastCarriageReturn = byte == 0x0D
            guard byte == 0x0A || byte == 0x0D else {
                guard line.count + data.count < maximumEvent else { throw EventTooLargeError(limit: maximumEvent) }
                line.append(byte)
                continue
            }
            if let event = endLine() { events.append(event) }
        }
        return events
    }

    private mutating func endLine() -> ServerSentEvent? {
        defer { line.removeAll(keepingCapacity: true) }
        if isFirstLine {
            isFirstLine = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        }
        guard !line.isEmpty else { return dispatch() }
        let colon = line.firstIndex(of: 0x3A) ?? line.endIndex
        var value = line[min(colon + 1, line.endIndex)...]
        if value.first == 0x20 { value = value.dropFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "data":
            if hasData { data.append(0x0A) }
            hasData = true
            data.append(contentsOf: value)
        case "event": eventType = String(decoding: value, as: UTF8.self)
        case "id" where !value.contains(0): lastEventID = String(decoding: value, as: UTF8.self)
        case "retry" where !value.isEmpty && value.allSatisfy(CharacterClass.isDigit):
            retryMilliseconds = Int(String(decoding: value, as: UTF8.self)) ?? retryMilliseconds
        default: break
        }
        return nil
    }

    private mutating func dispatch() -> ServerSentEvent? {
        defer {
            data = []
            hasData = false
            eventType = ""
        }
        guard hasData else { return nil }
        return ServerSentEvent(id: lastEventID, event: eventType.isEmpty ? "message" : eventType, data: data)
    }
}
