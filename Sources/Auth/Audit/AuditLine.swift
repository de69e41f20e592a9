import Bytes
package import Core

/// One entry of an export: a line of JSON that shows it and carries what verifies it.
package enum AuditLine {
    /// Longer than any entry within the limits can be, each of its bytes escaped.
    private static let limits = JSONLimits(maximumBytes: 1 << 20)

    /// The line of an entry, without a line break.
    package static func encode(_ stored: StoredAuditEntry) -> [UInt8] {
        var writer = JSONWriter(reserving: 1_536)
        writer.beginObject()
        AuditView.write(stored, to: &writer)
        writer.member("prev_hash", Hex.encode(stored.previousHash))
        writer.member("recorded_ms", stored.position.recordedAt.milliseconds)
        writer.member("canonical", Base64.encode(stored.canonical))
        writer.member("personal", stored.personal.map { Base64.encode($0) })
        writer.endObject()
        return writer.bytes.harmlessJSON
    }

    /// The line that stands before a chain whose oldest months were dropped.
    package static func encode(_ anchor: AuditAnchor) -> [UInt8] {
        var writer = JSONWriter(reserving: 512)
        writer.beginObject()
        writer.member("chain", anchor.chain.description)
        writer.key("dropped")
        writer.beginObject()
        writer.member("seq", anchor.position.seq)
        writer.member("recorded_ms", anchor.position.recordedAt.milliseconds)
        writer.member("hash", Hex.encode(anchor.hash))
        writer.member("frontier", Base64.encode(anchor.frontier))
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }

    /// Reads the line of an anchor; nil for any other.
    static func anchor(_ line: [UInt8]) -> AuditAnchor? {
        guard let root = try? JSONReader.parse(line, limits: limits), let dropped = root["dropped"],
            let chain = root["chain"]?.string.flatMap({ AuditChain($0) }), let seq = dropped["seq"]?.integer,
            let milliseconds = dropped["recorded_ms"]?.integer,
            let hash = dropped["hash"]?.string.flatMap({ Hex.decode($0) }),
            let frontier = dropped["frontier"]?.string.flatMap({ Base64.decode($0) })
        else { return nil }
        return AuditAnchor(
            chain: chain,
            position: AuditPosition(recordedAt: Timestamp(milliseconds: milliseconds), seq: seq),
            hash: hash,
            frontier: frontier
        )
    }

    /// Reads a line; nil for what is none.
    ///
    /// `isTrue` is false when the line shows anything but what its bytes say.
    package static func decode(_ line: [UInt8]) -> (entry: StoredAuditEntry, isTrue: Bool)? {
        guard let root = try? JSONReader.parse(line, limits: limits),
            let chain = root["chain"]?.string.flatMap({ AuditChain($0) }), let seq = root["seq"]?.integer,
            let milliseconds = root["recorded_ms"]?.integer,
            let previous = root["prev_hash"]?.string.flatMap({ Hex.decode($0) }),
            let hash = root["hash"]?.string.flatMap({ Hex.decode($0) }),
            let canonical = root["canonical"]?.string.flatMap({ Base64.decode($0) })
        else { return nil }
        var personal: [UInt8]?
        if let part = root["personal"], !part.isNull {
            guard let bytes = part.string.flatMap({ Base64.decode($0) }) else { return nil }
            personal = bytes
        }
        let said = AuditEntry(canonical: canonical)
        let entry = StoredAuditEntry(
            chain: chain,
            position: AuditPosition(recordedAt: Timestamp(milliseconds: milliseconds), seq: seq),
            previousHash: previous,
            hash: hash,
            canonical: canonical,
            personal: personal,
            actor: said?.actor.text ?? "",
            action: said?.action ?? "",
            target: said?.target
        )
        return (entry, isTrue: encode(entry) == line)
    }
}

/// Entries as a table for spreadsheets; it shows, and does not prove.
package enum AuditTable {
    /// The first line.
    package static let heading = row([
        "chain", "seq", "recorded_at", "at", "id", "actor_type", "actor", "action", "outcome", "target", "address",
        "user_agent", "request_id", "details", "hash",
    ])

    /// The line of an entry.
    package static func row(_ stored: StoredAuditEntry) -> [UInt8] {
        let entry = AuditEntry(canonical: stored.canonical)
        let part = stored.personal.flatMap { AuditPersonalPart($0) }
        let details = (part?.details ?? []).map { "\($0.name)=\($0.value)" }.joined(separator: "; ")
        return row([
            stored.chain.description, "\(stored.position.seq)", stored.position.recordedAt.rfc3339,
            entry?.at.rfc3339 ?? "", entry?.id.description ?? "", entry?.actor.kind ?? "", entry?.actor.text ?? "",
            entry?.action ?? "", entry?.outcome.rawValue ?? "", entry?.target ?? "", part?.address ?? "",
            part?.userAgent ?? "", entry?.request?.description ?? "", details, Hex.encode(stored.hash),
        ])
    }

    private static func row(_ cells: [String]) -> [UInt8] {
        Array(cells.map(cell).joined(separator: ",").utf8) + [0x0d, 0x0a]
    }

    /// A cell in quotes; one that a spreadsheet would take for a formula gets an apostrophe in front.
    private static func cell(_ text: String) -> String {
        var shown = ""
        // A sheet passes over space in front of a formula.
        if let first = text.unicodeScalars.first(where: { !$0.properties.isWhitespace && $0.value > 0x20 }),
            "=+-@|%\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".unicodeScalars.contains(first)
        {
            shown = "'"
        }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": shown += "\"\""
            default:
                switch scalar.value {
                case 0..<0x20, 0x7f...0x9f, 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069:
                    shown += "\\u{\(String(scalar.value, radix: 16))}"
                default: shown.unicodeScalars.append(scalar)
                }
            }
        }
        return "\"\(shown)\""
    }
}
