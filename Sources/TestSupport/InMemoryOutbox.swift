package import Bytes
package import Core

/// Letters in memory, under the same rules as the real ones.
package final class InMemoryOutbox: OutboxStore {
    private struct Kept {
        var letter: Letter
        var giveUpAt: Timestamp
        var request: ResetRequest?
        var secret: StoredSecret?
        var notice: Notice?
    }

    private var open: Set<LetterChannel> = []
    private var kept: [LetterID: Kept] = [:]

    /// No channel and no letter.
    package init() {}

    /// Puts a letter in as the store of an act does.
    package func put(
        _ letter: Letter,
        giveUpAt: Timestamp,
        secret: StoredSecret? = nil,
        notice: Notice? = nil
    ) {
        kept[letter.id] = Kept(letter: letter, giveUpAt: giveUpAt, secret: secret, notice: notice)
    }

    package func setChannels(_ channels: Set<LetterChannel>) async throws(StoreError) { open = channels }

    package func channels() async throws(StoreError) -> Set<LetterChannel> { open }

    package func askReset(_ request: ResetRequest, most: Int?) async throws(StoreError) -> Bool {
        guard let channel = open.min(by: { $0.rawValue < $1.rawValue }) else { return false }
        let recent = kept.values.count {
            $0.letter.kind == .passwordReset && $0.letter.recipient == request.recipient
                && request.now - $0.letter.createdAt < .seconds(3_600)
        }
        guard recent < most ?? .max else { return false }
        put(request.id, channel, .passwordReset, request.recipient, request.now, request)
        return true
    }

    package func putTest(
        _ id: LetterID,
        _ channel: LetterChannel,
        to recipient: String,
        now: Timestamp
    ) async throws(StoreError) -> Bool {
        guard open.contains(channel) else { return false }
        put(id, channel, .test, recipient, now, nil)
        return true
    }

    package func claim(
        _ channels: Set<LetterChannel>,
        now: Timestamp,
        lease: Duration,
        limit: Int
    ) async throws(StoreError) -> [ClaimedLetter] {
        let due = kept.values.filter {
            $0.letter.state == .waiting && $0.letter.nextAt <= now && channels.contains($0.letter.channel)
        }
        return due.sorted { $0.letter.nextAt < $1.letter.nextAt }.prefix(limit).map { found in
            kept[found.letter.id]?.letter.attempts += 1
            kept[found.letter.id]?.letter.nextAt = now.adding(lease)
            let letter = found.letter
            var claimed = ClaimedLetter(
                id: letter.id,
                channel: letter.channel,
                kind: letter.kind,
                recipient: letter.recipient,
                attempt: letter.attempts + 1,
                createdAt: letter.createdAt,
                giveUpAt: found.giveUpAt
            )
            (claimed.secret, claimed.notice) = (found.secret, found.notice)
            (claimed.askedAddress, claimed.askedAgent) = (found.request?.address, found.request?.userAgent)
            return claimed
        }
    }

    package func settle(
        _ letter: ClaimedLetter,
        _ end: LetterEnd,
        now: Timestamp
    ) async throws(StoreError) -> Bool {
        guard var found = kept[letter.id], found.letter.state == .waiting, found.letter.attempts == letter.attempt
        else { return false }
        switch end {
        case .dropped:
            kept[letter.id] = nil
            return true
        case .sent(let receipt):
            (found.letter.state, found.letter.receipt, found.letter.lastError) = (.sent, receipt, nil)
        case .delayed(let until, let error):
            (found.letter.nextAt, found.letter.lastError) = (until, error)
        case .failed(let error):
            (found.letter.state, found.letter.lastError) = (.failed, error)
        }
        if found.letter.state != .waiting { (found.letter.doneAt, found.secret) = (now, nil) }
        kept[letter.id] = found
        return true
    }

    package func letters(_ state: LetterState?, limit: Int) async throws(StoreError) -> [Letter] {
        let found = kept.values.map(\.letter).filter { state == nil || $0.state == state }
        return Array(found.sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }.prefix(limit))
    }

    package func letter(_ id: LetterID) async throws(StoreError) -> Letter? { kept[id]?.letter }

    package func prune(now: Timestamp, kept time: Duration, limit: Int) async throws(StoreError) -> Int {
        for (id, found) in kept where found.letter.state == .waiting && now - found.giveUpAt > .seconds(86_400) {
            kept[id]?.letter.state = .failed
            kept[id]?.letter.doneAt = now
            kept[id]?.letter.lastError = "no server sends on this channel any more"
            kept[id]?.secret = nil
        }
        let old = kept.values.filter { $0.letter.doneAt.map { now - $0 > time } ?? false }.prefix(limit)
        for found in old { kept[found.letter.id] = nil }
        return old.count
    }

    private func put(
        _ id: LetterID,
        _ channel: LetterChannel,
        _ kind: LetterKind,
        _ recipient: String,
        _ now: Timestamp,
        _ request: ResetRequest?
    ) {
        let letter = Letter(
            id: id,
            channel: channel,
            kind: kind,
            recipient: recipient,
            createdAt: now,
            nextAt: now
        )
        kept[id] = Kept(letter: letter, giveUpAt: now.adding(OutboxLimits.patience), request: request)
    }
}
