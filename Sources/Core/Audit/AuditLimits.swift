/// How much an entry holds at most, so that nobody can fill the log with one request.
package enum AuditLimits {
    /// Bytes of an action's name.
    package static let action = 64
    /// Bytes of what was acted on.
    package static let target = 200
    /// Bytes of an actor's name.
    package static let actor = 200
    /// Bytes of an address.
    package static let address = 64
    /// Bytes of what the client calls itself.
    package static let userAgent = 200
    /// Further facts of one entry.
    package static let details = 32
    /// Bytes of a fact's name.
    package static let detailName = 64
    /// Bytes of a fact's value.
    package static let detailValue = 1_024

    /// Stands at the end of a text that was cut.
    package static let mark = "…[cut]"

    /// The text itself, or as much of it as fits before the mark; never with a NUL, which no column can hold.
    static func bounded(_ text: String, _ limit: Int) -> String {
        var text = text
        if text.utf8.contains(0) { text = String(text.map { $0 == "\0" ? "\u{fffd}" : $0 }) }
        guard text.utf8.count > limit else { return text }
        var kept = String.UnicodeScalarView()
        var room = limit - mark.utf8.count
        for scalar in text.unicodeScalars {
            room -= UTF8.width(scalar)
            guard room >= 0 else { break }
            kept.append(scalar)
        }
        return String(kept) + mark
    }
}

extension AuditDraft {
    /// The same act within the limits.
    package var bounded: AuditDraft {
        var draft = self
        draft.actor = actor.bounded
        draft.action = AuditLimits.bounded(action, AuditLimits.action)
        draft.target = target.map { AuditLimits.bounded($0, AuditLimits.target) }
        draft.address = address.map { AuditLimits.bounded($0, AuditLimits.address) }
        draft.userAgent = userAgent.map { AuditLimits.bounded($0, AuditLimits.userAgent) }
        draft.details = details.prefix(AuditLimits.details).map { detail in
            AuditDetail(
                AuditLimits.bounded(detail.name, AuditLimits.detailName),
                AuditLimits.bounded(detail.value, AuditLimits.detailValue)
            )
        }
        if details.count > AuditLimits.details {
            draft.details[AuditLimits.details - 1] = AuditDetail("details", "\(details.count) \(AuditLimits.mark)")
        }
        return draft
    }
}

extension AuditActor {
    fileprivate var bounded: AuditActor {
        switch self {
        case .administrator(let name): .administrator(AuditLimits.bounded(name, AuditLimits.actor))
        case .key(let id, let name): .key(id, actingFor: AuditLimits.bounded(name, AuditLimits.actor))
        case .user, .worker, .stranger, .system: self
        }
    }
}
