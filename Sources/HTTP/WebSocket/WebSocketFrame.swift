/// Writes WebSocket frames.
package enum WebSocketFrame {
    /// The longest payload of a control frame.
    package static let maximumControlPayload = 125

    /// Appends a frame; a client gives a fresh random `mask`, a server none, so that a broadcast is encoded once.
    package static func append(
        _ opcode: WebSocketOpcode,
        _ payload: [UInt8],
        isFinal: Bool = true,
        mask: UInt32?,
        to output: inout [UInt8]
    ) {
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        output.reserveCapacity(output.count + payload.count + 14)
        output.append((isFinal ? 0x80 : 0) | opcode.rawValue)
        switch payload.count {
        case 0...125: output.append(maskBit | UInt8(payload.count))
        case 126...0xFFFF:
            output.append(maskBit | 126)
            output.append(UInt8(payload.count >> 8))
            output.append(UInt8(payload.count & 0xFF))
        default:
            output.append(maskBit | 127)
            for shift in stride(from: 56, through: 0, by: -8) {
                output.append(UInt8(truncatingIfNeeded: payload.count >> shift))
            }
        }
        guard let mask else { return output.append(contentsOf: payload) }
        for shift: UInt32 in [0, 8, 16, 24] { output.append(UInt8(truncatingIfNeeded: mask >> shift)) }
        let start = output.count
        output.append(contentsOf: payload)
        WebSocketMask.apply(mask, offset: 0, to: &output, from: start)
    }

    /// The payload of a close frame; a reason too long for it is cut at a character.
    package static func closePayload(code: UInt16, reason: String) -> [UInt8] {
        var payload = [UInt8(code >> 8), UInt8(code & 0xFF)]
        for character in reason.unicodeScalars {
            let encoded = Array(String(character).utf8)
            guard payload.count + encoded.count <= maximumControlPayload else { break }
            payload.append(contentsOf: encoded)
        }
        return payload
    }
}
