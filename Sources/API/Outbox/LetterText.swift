import Bytes
import Core

/// A letter in words: a subject and paragraphs, in which nothing that people wrote can look like more than it is.
package struct LetterText: Sendable, Equatable {
    package let subject: String
    package let paragraphs: [String]

    /// Puts a content into words; `server` is where its readers reach the installation.
    package init(_ content: LetterContent, server: String) {
        switch content {
        case .invite(let letter): (subject, paragraphs) = Self.invite(letter, server)
        case .passwordReset(let letter): (subject, paragraphs) = Self.reset(letter, server)
        case .notice(let notice): (subject, paragraphs) = Self.notice(notice, server)
        case .test:
            subject = "Errand: mail arrives"
            paragraphs = [
                "The administrator of \(server) asked Errand to send this message, to see whether it arrives.",
                "There is nothing to do.",
            ]
        }
    }

    private static func invite(_ letter: InviteLetter, _ server: String) -> (String, [String]) {
        let (team, host) = (quoted(letter.team), quoted(letter.host))
        return (
            "Invitation to the team \(team) on Errand",
            [
                "\(host) invites you to the team \(team) on \(server), as \(letter.role.rawValue).",
                "Open this link to join:",
                letter.link,
                "Or on a command line:\n  errand team accept '\(letter.link)'",
                "The link works once, with the account of this address, until \(shown(letter.expiresAt)). "
                    + "If you do not know \(host), ignore this message: nothing happens without you.",
            ]
        )
    }

    private static func reset(_ letter: ResetLetter, _ server: String) -> (String, [String]) {
        let asker: String
        if let address = letter.address {
            let client = letter.userAgent.map { $0.isEmpty ? "" : " by \(quoted($0))" } ?? ""
            asker = "Somebody at the address \(line(address))\(client) asked"
        } else {
            asker = "The administrator asked"
        }
        return (
            "A new password for Errand",
            [
                "\(asker) at \(shown(letter.askedAt)) for a new password for your account on \(server).",
                "Open this link to choose one:",
                letter.link,
                "Or on a command line, which asks for the link:\n  errand account reset",
                "The link works once, until \(shown(letter.expiresAt)). A newer one replaces it.",
                "If it was not you, do nothing: your password stays as it is.",
            ]
        )
    }

    private static func notice(_ notice: Notice, _ server: String) -> (String, [String]) {
        let (subject, event, advice) = words(notice.kind)
        var facts = ["Time: \(shown(notice.createdAt))"]
        if let name = notice.deviceName, !name.isEmpty { facts.append("Device: \(quoted(name))") }
        if let address = notice.address, !address.isEmpty { facts.append("Address: \(line(address))") }
        if let client = notice.userAgent, !client.isEmpty { facts.append("Client: \(quoted(client))") }
        return (subject, ["\(event) on \(server).", facts.joined(separator: "\n"), advice])
    }

    private static func words(_ kind: Notice.Kind) -> (subject: String, event: String, advice: String) {
        let rescue =
            "If it was not you: change your password with `errand account password`, and end all other sign-ins with "
            + "`errand account revoke --all`."
        switch kind {
        case .newDevice:
            return (
                "Errand: a sign-in from a new device or network",
                "Somebody signed in to your account with a kind of client or from a network that was not seen before",
                "If it was you, there is nothing to do. \(rescue)"
            )
        case .tokenReuse:
            return (
                "Errand: a sign-in was ended",
                "An old token of one of your sign-ins came back, so somebody else may have a copy of it; the sign-in "
                    + "was ended",
                "Sign in again on that device. \(rescue)"
            )
        case .passwordChanged:
            return (
                "Errand: your password was changed",
                "The password of your account was changed, and all other sign-ins were ended",
                "If it was you, there is nothing to do. If it was not you: ask the administrator for a link to a new "
                    + "password at once."
            )
        case .passwordReset:
            return (
                "Errand: your password was reset",
                "The password of your account was set by a reset link, and every sign-in was ended",
                "If it was you, there is nothing to do. If it was not you: ask the administrator for a new link at "
                    + "once, and change the password of this mailbox."
            )
        case .factorEnabled:
            return (
                "Errand: a second factor was added",
                "A second factor was added to your account",
                "If it was you, there is nothing to do. \(rescue)"
            )
        case .factorDisabled:
            return (
                "Errand: a second factor was removed",
                "A second factor of your account was removed",
                "If it was you, there is nothing to do. \(rescue)"
            )
        case .factorRefused:
            return (
                "Errand: wrong codes with the right password",
                "Somebody who knows your password gave wrong codes of your second factor again and again",
                "If it was not you, your password is known: change it with `errand account password`."
            )
        case .recoveryUsed:
            return (
                "Errand: a recovery code was used",
                "Somebody signed in to your account with one of its recovery codes",
                "If it was you, make new codes when few are left. \(rescue)"
            )
        }
    }

    /// What people wrote, in quotes, on one line and short.
    private static func quoted(_ text: String) -> String { "\"\(line(text).replacing("\"", with: "'"))\"" }

    /// A text without line breaks, control characters and marks that turn the direction of writing.
    static func line(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(100) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                result.append(" ")
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    private static func shown(_ time: Timestamp) -> String {
        let text = time.rfc3339
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC"
    }
}
