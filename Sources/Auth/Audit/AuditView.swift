package import Bytes
package import Core

/// The members by which an entry is shown, the same in the API, in exports and on a terminal.
package enum AuditView {
    /// Writes what an entry says, as members of the present object.
    package static func write(_ stored: StoredAuditEntry, to writer: inout JSONWriter) {
        let entry = AuditEntry(canonical: stored.canonical)
        let part = stored.personal.flatMap { AuditPersonalPart($0) }
        writer.member("chain", stored.chain.description)
        writer.member("seq", stored.position.seq)
        writer.member("recorded_at", stored.position.recordedAt)
        writer.member("id", entry?.id.description)
        writer.member("at", entry?.at)
        writer.key("actor")
        write(entry?.actor, to: &writer)
        writer.member("action", entry?.action)
        writer.member("outcome", entry?.outcome.rawValue)
        writer.member("target", entry?.target)
        writer.member("request_id", entry?.request?.description)
        // Erased, unless there is a part to read.
        writer.member("is_erased", stored.personal == nil)
        writer.member("address", part?.address)
        writer.member("user_agent", part?.userAgent)
        writer.key("details")
        writer.beginArray()
        for detail in part?.details ?? [] {
            writer.beginObject()
            writer.member("name", detail.name)
            writer.member("value", detail.value)
            writer.endObject()
        }
        writer.endArray()
        writer.member("hash", Hex.encode(stored.hash))
    }

    private static func write(_ actor: AuditActor?, to writer: inout JSONWriter) {
        guard let actor else { return writer.null() }
        writer.beginObject()
        writer.member("type", actor.kind)
        writer.member("id", actor.text)
        switch actor {
        case .user(_, let device?): writer.member("device_id", device.description)
        case .key(_, let person): writer.member("acting_for", person)
        case .user, .worker, .administrator, .stranger, .system: break
        }
        writer.endObject()
    }
}

extension [UInt8] {
    /// JSON text in which no character steers a terminal or reorders what is shown: such are written as escapes.
    package var harmlessJSON: [UInt8] {
        // All of them begin with one of these bytes in UTF-8, or are DEL.
        guard contains(where: { $0 == 0x7f || $0 == 0xc2 || $0 == 0xd8 || $0 == 0xe2 }) else { return self }
        var shown: [UInt8] = []
        shown.reserveCapacity(count + 64)
        for scalar in String(decoding: self, as: UTF8.self).unicodeScalars {
            switch scalar.value {
            case 0x7f...0x9f, 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069:
                let digits = String(scalar.value, radix: 16)
                shown += Array("\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
            default: shown += Array(String(scalar).utf8)
            }
        }
        return shown
    }
}
