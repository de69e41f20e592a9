package import Bytes
package import Core

/// What a letter says, before it is put into words.
package enum LetterContent: Sendable, Equatable {
    case invite(InviteLetter)
    case passwordReset(ResetLetter)
    case notice(Notice)
    case test
}

/// What an invitation tells its guest.
package struct InviteLetter: Sendable, Equatable {
    package var team: String
    package var role: Role
    /// Who invites.
    package var host: String
    package var link: String
    package var expiresAt: Timestamp

    /// Describes an invitation.
    package init(team: String, role: Role, host: String, link: String, expiresAt: Timestamp) {
        self.team = team
        self.role = role
        self.host = host
        self.link = link
        self.expiresAt = expiresAt
    }
}

/// What a link to a new password comes with.
package struct ResetLetter: Sendable, Equatable {
    package var link: String
    package var expiresAt: Timestamp
    package var askedAt: Timestamp
    /// Where it was asked for; nil when the administrator did.
    package var address: String?
    package var userAgent: String?

    /// Describes a link.
    package init(
        link: String,
        expiresAt: Timestamp,
        askedAt: Timestamp,
        address: String? = nil,
        userAgent: String? = nil
    ) {
        self.link = link
        self.expiresAt = expiresAt
        self.askedAt = askedAt
        self.address = address
        self.userAgent = userAgent
    }
}

extension InviteLetter {
    /// The form in which it is sealed.
    var secret: ClearSecret {
        ClearSecret(
            document { writer in
                writer.beginObject()
                writer.member("team", team)
                writer.member("role", role.rawValue)
                writer.member("host", host)
                writer.member("link", link)
                writer.member("expires_at", expiresAt)
                writer.endObject()
            }
        )
    }

    /// Reads the form in which it was sealed; nil when it is another.
    init?(_ secret: ClearSecret) {
        guard let form = try? JSONReader.parse(secret.reveal()), let team = form["team"]?.string,
            let role = form["role"]?.string.flatMap({ Role(rawValue: $0) }), let host = form["host"]?.string,
            let link = form["link"]?.string,
            let end = form["expires_at"]?.string.flatMap({ Timestamp(rfc3339: $0) })
        else { return nil }
        self.init(team: team, role: role, host: host, link: link, expiresAt: end)
    }
}
