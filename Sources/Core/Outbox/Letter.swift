package import Bytes

/// A way out of the installation.
package enum LetterChannel: String, Sendable, CaseIterable {
    case mail, webhook
}

/// What a letter is about.
package enum LetterKind: String, Sendable, CaseIterable {
    /// An invitation into a team, with its link.
    case invite
    /// A link to a new password, which is made when the letter is sent.
    case passwordReset = "password_reset"
    /// Something that happened to the account.
    case notice
    /// An administrator tries whether letters arrive.
    case test
}

/// Where a letter stands.
package enum LetterState: String, Sendable, CaseIterable {
    case waiting, sent, failed
}

/// A letter with a sealed content, to be kept in the transaction of the act that it tells of.
package struct LetterDraft: Sendable, Equatable {
    package var id: LetterID
    package var channel: LetterChannel
    package var secret: StoredSecret

    /// Describes a letter.
    package init(id: LetterID, channel: LetterChannel, secret: StoredSecret) {
        self.id = id
        self.channel = channel
        self.secret = secret
    }
}

extension SecretPlace {
    /// Where the content of a letter belongs.
    package init(letter id: LetterID) { self.init(table: "outbox", row: id, column: "content") }
}

/// A letter as an administrator sees it, without its content.
package struct Letter: Sendable, Equatable {
    package var id: LetterID
    package var channel: LetterChannel
    package var kind: LetterKind
    package var recipient: String
    package var state: LetterState
    package var createdAt: Timestamp
    /// When it is tried next, or when the claim of whoever tries it ends.
    package var nextAt: Timestamp
    package var attempts = 0
    /// What the receiver said when it took it.
    package var receipt: String?
    package var lastError: String?
    package var doneAt: Timestamp?

    /// Describes a letter that waits.
    package init(
        id: LetterID,
        channel: LetterChannel,
        kind: LetterKind,
        recipient: String,
        state: LetterState = .waiting,
        createdAt: Timestamp,
        nextAt: Timestamp
    ) {
        self.id = id
        self.channel = channel
        self.kind = kind
        self.recipient = recipient
        self.state = state
        self.createdAt = createdAt
        self.nextAt = nextAt
    }
}

/// A letter that one server may send now.
package struct ClaimedLetter: Sendable, Equatable {
    package var id: LetterID
    package var channel: LetterChannel
    package var kind: LetterKind
    package var recipient: String
    /// The claim's number: what a later claim has begun this one does not settle.
    package var attempt: Int
    package var createdAt: Timestamp
    package var giveUpAt: Timestamp
    package var secret: StoredSecret?
    package var notice: Notice?
    /// Where it was asked for, for a link to a new password.
    package var askedAddress: String?
    package var askedAgent: String?

    /// Describes a claim.
    package init(
        id: LetterID,
        channel: LetterChannel,
        kind: LetterKind,
        recipient: String,
        attempt: Int,
        createdAt: Timestamp,
        giveUpAt: Timestamp
    ) {
        self.id = id
        self.channel = channel
        self.kind = kind
        self.recipient = recipient
        self.attempt = attempt
        self.createdAt = createdAt
        self.giveUpAt = giveUpAt
    }
}

/// What became of an attempt to send a letter.
package enum LetterEnd: Sendable, Equatable {
    case sent(receipt: String)
    /// It is tried again.
    case delayed(until: Timestamp, error: String)
    /// It is given up.
    case failed(error: String)
    /// There is nobody to send it to, and nothing is kept of it.
    case dropped
}

/// The bounds of what leaves the installation.
package enum OutboxLimits {
    /// Invitations by mail of one team in an hour: a school class at once, and no mailing list.
    package static let invitesPerTeam = 50
    /// The same of one person in all their teams, who may found more teams.
    package static let invitesPerPerson = 50
    /// Invitations to one address in an hour, whoever sends them: nobody fills a stranger's mailbox by this server.
    package static let invitesPerRecipient = 5
    /// Links to a new password for one address in an hour: who loses three mails has another trouble.
    package static let resetsPerRecipient = 3
    /// What a mail server cannot take in three days, it mostly does not take at all.
    package static let patience = Duration.seconds(3 * 86_400)
    /// Receipts are kept for as long as somebody may ask whether a letter went out.
    package static let kept = Duration.seconds(30 * 86_400)
    /// A receipt or an error, of which the beginning says what matters.
    package static let noteBytes = 200
}
