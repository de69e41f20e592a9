import Auth
import Bytes
package import Core
import Crypto
package import Platform

/// The ways out of an installation and what goes through them.
package struct OutboxWays {
    package var mail: (carrier: any LetterCarrier, sender: MailSender)?
    package var webhook: (carrier: any LetterCarrier, key: WebhookKey)?
    /// Where the readers of a letter reach the installation.
    package var publicURL: String

    /// No way out yet.
    package init(publicURL: String) { self.publicURL = publicURL }

    /// The channels that have a way.
    package var channels: Set<LetterChannel> {
        Set((mail == nil ? [] : [.mail]) + (webhook == nil ? [] : [.webhook]))
    }
}

/// Sends the letters that are due; one loop per replica runs it, and what one of them holds no other has.
package final class OutboxCare {
    private static let interval = Duration.seconds(1)
    private static let pruneInterval = Duration.seconds(60)
    private static let pruneBatch = 1_000
    /// Letters in one claim: as many as are sent at once, so that a lease is enough for all of them.
    private static let batch = 4
    /// Several times what the slowest carrier takes.
    static let lease = Duration.seconds(120)
    private static let firstWait = Duration.seconds(30)
    private static let longestWait = Duration.seconds(6 * 3_600)

    private let outbox: any OutboxStore
    private let accounts: any AccountStore
    private let passwords: any PasswordStore
    private let vault: SecretVault
    private let ways: OutboxWays
    private let time: any TimeSource
    private let loop: EventLoop
    private let jitter: () -> Double
    private let onFault: (String) -> Void
    private var isStopped = false
    private var running = 0
    private let change = LoopCondition()

    /// Takes over the sending; `jitter` gives factors around one, `onFault` hears of letters that are given up.
    package init(
        outbox: any OutboxStore,
        accounts: any AccountStore,
        passwords: any PasswordStore,
        vault: SecretVault,
        ways: OutboxWays,
        time: any TimeSource,
        loop: EventLoop,
        jitter: @escaping () -> Double = { 0.8 + 0.4 * Double(SecureRandom.bytes(1).first ?? 128) / 255 },
        onFault: @escaping (String) -> Void
    ) {
        self.outbox = outbox
        self.accounts = accounts
        self.passwords = passwords
        self.vault = vault
        self.ways = ways
        self.time = time
        self.loop = loop
        self.jitter = jitter
        self.onFault = onFault
    }

    /// Works until stopped and until what it is sending has gone.
    package func run() async {
        every(Self.interval) { [self] in while !isStopped, try await sweep() > 0 {} }
        every(Self.pruneInterval) { [self] in
            while !isStopped,
                try await outbox.prune(now: time.now, kept: OutboxLimits.kept, limit: Self.pruneBatch)
                    >= Self.pruneBatch
            {}
        }
        await ended()
    }

    /// Has `run` end after the letters that it is sending.
    package func stop() {
        isStopped = true
        change.signalAll()
    }

    /// Waits until nothing is being sent any more.
    package func ended() async {
        while running > 0 { await change.wait() }
    }

    private func every(_ interval: Duration, _ step: @escaping () async throws -> Void) {
        running += 1
        loop.spawnLocal { [self] in
            while !isStopped {
                // A store that is away is asked again at the next turn; nothing is lost meanwhile.
                try? await step()
                if !isStopped { _ = await change.wait(timeout: interval, on: loop) }
            }
            running -= 1
            change.signalAll()
        }
    }

    /// Sends what is due, a few at once; says how many it took on.
    package func sweep() async throws -> Int {
        guard !ways.channels.isEmpty else { return 0 }
        let claimed = try await outbox.claim(ways.channels, now: time.now, lease: Self.lease, limit: Self.batch)
        var left = claimed.count
        let done = LoopCondition()
        for letter in claimed {
            loop.spawnLocal { [self] in
                await send(letter)
                left -= 1
                done.signalAll()
            }
        }
        while left > 0 { await done.wait() }
        return claimed.count
    }

    private func send(_ letter: ClaimedLetter) async {
        let end: LetterEnd
        do {
            end = try await attempt(letter)
        } catch {
            // The database or a key is away: nobody was told anything.
            end = later(letter, "it could not be written: \(error)")
        }
        if case .failed(let error) = end { onFault("\(letter.id) is given up: \(error)") }
        // Unsettled, it is sent again when the lease has ended, under the same name.
        _ = try? await outbox.settle(letter, end, now: time.now)
    }

    private func attempt(_ letter: ClaimedLetter) async throws -> LetterEnd {
        guard time.now < letter.giveUpAt else { return .failed(error: "it could not be sent in time") }
        let content: LetterContent
        var token: String?
        switch letter.kind {
        case .test: content = .test
        case .notice:
            guard let notice = letter.notice else { return .dropped }
            content = .notice(notice)
        case .invite:
            guard let secret = letter.secret else { return .failed(error: "its content is gone") }
            guard let invite = InviteLetter(try await vault.open(secret)) else {
                return .failed(error: "its content cannot be read")
            }
            token = invite.link.split(whereSeparator: { "=#".contains($0) }).last.map(String.init)
            content = .invite(invite)
        case .passwordReset:
            guard let reset = try await issueReset(letter) else { return .dropped }
            token = reset.token
            content = .passwordReset(reset.letter)
        }
        return outcome(of: await carry(content, letter), letter, hiding: token)
    }

    /// Makes the link when it is sent, and not before: so none lies anywhere, and its minutes begin now.
    private func issueReset(_ letter: ClaimedLetter) async throws -> (letter: ResetLetter, token: String)? {
        guard let user = try await accounts.credentials(email: letter.recipient)?.user, !user.isDisabled else {
            return nil
        }
        let (token, now) = (PasswordResetToken.make(), time.now)
        let end = now.adding(PasswordResetToken.lifetime)
        let isIssued = try await passwords.issueReset(
            user.id,
            hash: token.hash,
            now: now,
            expiresAt: end,
            audit: AuditDraft(
                at: now,
                team: nil,
                actor: .system,
                action: "password.reset_issued",
                target: user.id.description,
                details: [AuditDetail("letter", letter.id.description)]
            )
        )
        guard isIssued else { return nil }
        let reset = ResetLetter(
            link: token.link(ways.publicURL),
            expiresAt: end,
            askedAt: letter.createdAt,
            address: letter.askedAddress,
            userAgent: letter.askedAgent
        )
        return (reset, token.token)
    }

    private func carry(_ content: LetterContent, _ letter: ClaimedLetter) async -> Carriage {
        let text = LetterText(content, server: ways.publicURL)
        switch letter.channel {
        case .mail:
            guard let mail = ways.mail else { return .failed("no mail server is set") }
            let message = MailMessage.compose(
                text,
                id: letter.id,
                at: letter.createdAt,
                from: mail.sender,
                to: letter.recipient
            )
            return await mail.carrier.carry(OutgoingLetter(recipient: letter.recipient, bytes: message))
        case .webhook:
            guard let webhook = ways.webhook else { return .failed("no webhook is set") }
            return await webhook.carrier.carry(
                WebhookMessage.compose(content, text, of: letter, key: webhook.key, now: time.now)
            )
        }
    }

    private func outcome(of carriage: Carriage, _ letter: ClaimedLetter, hiding token: String?) -> LetterEnd {
        switch carriage {
        case .taken(let said): .sent(receipt: Self.note(said, hiding: token))
        case .refused(let said): .failed(error: Self.note(said, hiding: token))
        case .failed(let reason): later(letter, Self.note(reason, hiding: token))
        }
    }

    /// Tries again after twice the time that it waited before, unless that is too late.
    private func later(_ letter: ClaimedLetter, _ error: String) -> LetterEnd {
        let doubled = Self.firstWait * (1 << min(max(letter.attempt - 1, 0), 12))
        let next = time.now.adding(min(doubled, Self.longestWait) * jitter())
        guard next < letter.giveUpAt else { return .failed(error: Self.note(error, hiding: nil)) }
        return .delayed(until: next, error: Self.note(error, hiding: nil))
    }

    /// What a receiver said as it is kept: one short line, without the token that it might repeat.
    static func note(_ text: String, hiding token: String?) -> String {
        var text = text
        if let token, !token.isEmpty { text = text.replacing(token, with: "***") }
        var bytes = Array(LetterText.line(text).utf8.prefix(OutboxLimits.noteBytes))
        while String(validating: bytes, as: UTF8.self) == nil { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
