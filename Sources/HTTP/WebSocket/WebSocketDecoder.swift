import Bytes

/// Something the peer said.
package enum WebSocketEvent: Sendable, Equatable {
    /// A whole message.
    case message(WebSocketMessage)
    /// A ping, to be answered with the same bytes.
    case ping([UInt8])
    /// A pong.
    case pong([UInt8])
    /// The closing handshake; the code is nil when the peer gave none.
    case close(code: UInt16?, reason: String)
}

/// Decodes WebSocket frames fed in pieces of any size.
package struct WebSocketDecoder: Sendable {
    private enum Stage: Sendable { case first, second, length, mask, payload, closed }

    private let role: WebSocketRole
    private let maximumMessage: Int

    private var stage = Stage.first
    private var opcode = WebSocketOpcode.continuation
    private var isFinal = false
    private var isMasked = false
    private var pendingBytes = 0
    private var number: UInt64 = 0
    private var remaining = 0
    private var mask: UInt32 = 0
    private var maskOffset = 0
    private var messageKind: WebSocketOpcode?
    private var message: [UInt8] = []
    private var control: [UInt8] = []
    private var utf8 = UTF8Validator()

    /// Makes a decoder for what `role` receives.
    package init(role: WebSocketRole, maximumMessage: Int) {
        self.role = role
        self.maximumMessage = maximumMessage
    }

    /// Takes bytes and appends what they complete; what was appended before an error stays valid.
    package mutating func feed(
        _ bytes: borrowing Span<UInt8>,
        into events: inout [WebSocketEvent]
    ) throws(WebSocketError) {
        var index = 0
        while index < bytes.count {
            switch stage {
            case .first:
                try takeFirst(bytes[index])
                index += 1
            case .second:
                try takeSecond(bytes[index])
                index += 1
            case .length, .mask:
                try takeNumber(bytes[index])
                index += 1
            case .payload:
                let length = min(remaining, bytes.count - index)
                try takePayload(bytes, index..<(index + length))
                index += length
            case .closed: return
            }
            if stage == .payload, remaining == 0 { try endFrame(&events) }
        }
    }

    private mutating func takeFirst(_ byte: UInt8) throws(WebSocketError) {
        guard byte & 0x70 == 0 else { throw .protocolViolation("reserved bits are set") }
        guard let opcode = WebSocketOpcode(rawValue: byte & 0x0F) else { throw .protocolViolation("unknown opcode") }
        isFinal = byte & 0x80 != 0
        self.opcode = opcode
        switch opcode {
        case .continuation:
            guard messageKind != nil else { throw .protocolViolation("continuation of nothing") }
        case .text, .binary:
            guard messageKind == nil else { throw .protocolViolation("message inside a message") }
            messageKind = opcode
        case .close, .ping, .pong:
            guard isFinal else { throw .protocolViolation("fragmented control frame") }
        }
        stage = .second
    }

    private mutating func takeSecond(_ byte: UInt8) throws(WebSocketError) {
        isMasked = byte & 0x80 != 0
        guard isMasked == (role == .server) else {
            throw .protocolViolation(isMasked ? "masked frame from a server" : "unmasked frame from a client")
        }
        let length = Int(byte & 0x7F)
        number = 0
        switch length {
        case 126, 127:
            guard opcode.rawValue < 8 else { throw .protocolViolation("control frame over 125 bytes") }
            pendingBytes = length == 126 ? 2 : 8
            stage = .length
        default: try setLength(length)
        }
    }

    private mutating func takeNumber(_ byte: UInt8) throws(WebSocketError) {
        let isFirstOfEight = stage == .length && pendingBytes == 8 && number == 0
        if isFirstOfEight, byte & 0x80 != 0 { throw .protocolViolation("length out of range") }
        number = number << 8 | UInt64(byte)
        pendingBytes -= 1
        guard pendingBytes == 0 else { return }
        if stage == .mask {
            // Kept so that the first byte of the key is the lowest, as it is applied.
            mask = UInt32(truncatingIfNeeded: number).byteSwapped
            maskOffset = 0
            return stage = .payload
        }
        guard number > 125 else { throw .protocolViolation("length not in its shortest form") }
        guard number <= UInt64(maximumMessage) else { throw .messageTooBig }
        try setLength(Int(number))
    }

    private mutating func setLength(_ length: Int) throws(WebSocketError) {
        if opcode.rawValue < 8, message.count + length > maximumMessage { throw .messageTooBig }
        remaining = length
        number = 0
        pendingBytes = 4
        stage = isMasked ? .mask : .payload
    }

    private mutating func takePayload(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) throws(WebSocketError) {
        remaining -= range.count
        defer { maskOffset = (maskOffset + range.count) & 3 }
        guard opcode.rawValue < 8 else {
            let start = control.count
            control.append(copying: bytes, range)
            if isMasked { WebSocketMask.apply(mask, offset: maskOffset, to: &control, from: start) }
            return
        }
        let start = message.count
        message.append(copying: bytes, range)
        if isMasked { WebSocketMask.apply(mask, offset: maskOffset, to: &message, from: start) }
        if messageKind == .text, !utf8.take(message, from: start) { throw .invalidUTF8 }
    }

    private mutating func endFrame(_ events: inout [WebSocketEvent]) throws(WebSocketError) {
        stage = .first
        switch opcode {
        case .continuation, .text, .binary:
            if isFinal { events.append(.message(try endMessage())) }
        case .ping: events.append(.ping(takeControl()))
        case .pong: events.append(.pong(takeControl()))
        case .close:
            events.append(try close(takeControl()))
            stage = .closed
        }
    }

    private mutating func endMessage() throws(WebSocketError) -> WebSocketMessage {
        let whole = message
        message = []
        defer {
            messageKind = nil
            utf8 = UTF8Validator()
        }
        guard messageKind == .text else { return .binary(whole) }
        guard utf8.isComplete else { throw .invalidUTF8 }
        return .text(String(decoding: whole, as: UTF8.self))
    }

    private mutating func takeControl() -> [UInt8] {
        defer { control = [] }
        return control
    }

    private func close(_ payload: [UInt8]) throws(WebSocketError) -> WebSocketEvent {
        guard !payload.isEmpty else { return .close(code: nil, reason: "") }
        guard payload.count >= 2 else { throw .protocolViolation("close code cut short") }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        guard WebSocketCloseCode.isAllowed(code) else { throw .protocolViolation("close code not allowed") }
        guard let reason = String(strictUTF8: payload[2...]) else { throw .invalidUTF8 }
        return .close(code: code, reason: reason)
    }
}
