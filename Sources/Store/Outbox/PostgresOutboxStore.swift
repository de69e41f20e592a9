import Bytes
import Core

/// Letters in PostgreSQL.
final class PostgresOutboxStore: OutboxStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func setChannels(_ channels: Set<LetterChannel>) async throws(StoreError) {
        let values = [Self.words(channels)]
        let group = PostgresGroup(
            .system,
            [OutboxStatements.closeChannels(values), OutboxStatements.openChannels(values)]
        )
        _ = try await pool.run(group)
    }

    func channels() async throws(StoreError) -> Set<LetterChannel> {
        let found: [LetterChannel] = try await pool.run(.system, OutboxStatements.channels()).rows {
            row throws(StoreError) in try row.word()
        }
        return Set(found)
    }

    func askReset(_ request: ResetRequest, most: Int?) async throws(StoreError) -> Bool {
        let values: [PostgresValue] = [
            .id(request.id), .text(request.recipient), .time(request.now),
            .time(request.now.adding(OutboxLimits.patience)), .text(request.address), .text(request.userAgent),
            .integer(most),
        ]
        return try await pool.run(.system, OutboxStatements.askReset(values)).count > 0
    }

    func putTest(
        _ id: LetterID,
        _ channel: LetterChannel,
        to recipient: String,
        now: Timestamp
    ) async throws(StoreError) -> Bool {
        let values: [PostgresValue] = [
            .id(id), .word(channel), .text(recipient), .time(now), .time(now.adding(OutboxLimits.patience)),
        ]
        return try await pool.run(.system, OutboxStatements.putTest(values)).count > 0
    }

    func claim(
        _ channels: Set<LetterChannel>,
        now: Timestamp,
        lease: Duration,
        limit: Int
    ) async throws(StoreError) -> [ClaimedLetter] {
        let values: [PostgresValue] = [
            .time(now), .bigint(lease.wholeMilliseconds), Self.words(channels), .integer(limit),
        ]
        return try await pool.run(.system, OutboxStatements.claim(values)).rows { row throws(StoreError) in
            try ClaimedLetter(&row)
        }
    }

    func settle(_ letter: ClaimedLetter, _ end: LetterEnd, now: Timestamp) async throws(StoreError) -> Bool {
        let (id, attempt) = (PostgresValue.id(letter.id), PostgresValue.integer(letter.attempt))
        let result: (state: LetterState, again: Timestamp?, receipt: String?, error: String?)
        switch end {
        case .dropped:
            return try await pool.run(.system, OutboxStatements.drop([id, attempt])).affected > 0
        case .sent(let receipt): result = (.sent, nil, receipt, nil)
        case .delayed(let until, let error): result = (.waiting, until, nil, error)
        case .failed(let error): result = (.failed, nil, nil, error)
        }
        let values: [PostgresValue] = [
            id, attempt, .word(result.state), .time(result.again), .text(result.receipt), .text(result.error),
            .time(now),
        ]
        let isSettled = try await pool.run(.system, OutboxStatements.settle(values)).first { row throws(StoreError) in
            try row.value(Bool.self)
        }
        return isSettled ?? false
    }

    func letters(_ state: LetterState?, limit: Int) async throws(StoreError) -> [Letter] {
        try await pool.run(.system, OutboxStatements.list([.word(state), .integer(limit)])).rows {
            row throws(StoreError) in try Letter(&row)
        }
    }

    func letter(_ id: LetterID) async throws(StoreError) -> Letter? {
        try await pool.run(.system, OutboxStatements.get([.id(id)])).first { row throws(StoreError) in
            try Letter(&row)
        }
    }

    func prune(now: Timestamp, kept: Duration, limit: Int) async throws(StoreError) -> Int {
        let values: [PostgresValue] = [.time(now), .bigint(kept.wholeMilliseconds), .integer(limit)]
        let removed = try await pool.run(.system, OutboxStatements.prune(values)).first { row throws(StoreError) in
            try row.value(Int.self)
        }
        return removed ?? 0
    }

    private static func words(_ channels: Set<LetterChannel>) -> PostgresValue {
        .array(.text, channels.map(\.rawValue).sorted().map { .text($0) })
    }
}

extension Letter {
    /// The columns that `init(_:)` reads.
    static let columns = """
        o.id, o.channel, o.kind, o.recipient, o.state, o.created_at, o.next_at, o.attempts, o.receipt, o.last_error, \
        o.done_at
        """

    /// Reads `columns`.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(
            id: try row.value(),
            channel: try row.word(),
            kind: try row.word(),
            recipient: try row.value(),
            state: try row.word(),
            createdAt: try row.value(),
            nextAt: try row.value()
        )
        attempts = try row.value()
        receipt = try row.optional()
        lastError = try row.optional()
        doneAt = try row.optional()
    }
}

extension ClaimedLetter {
    /// The columns that `init(_:)` reads; a notice's come last.
    static let columns = """
        c.id, c.channel, c.kind, c.recipient, c.attempts, c.created_at, c.give_up_at, c.asked_address, c.asked_agent, \
        c.secret, s.sealed, n.id is not null, \(Notice.columns)
        """

    /// Reads `columns`.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(
            id: try row.value(),
            channel: try row.word(),
            kind: try row.word(),
            recipient: try row.value(),
            attempt: try row.value(),
            createdAt: try row.value(),
            giveUpAt: try row.value()
        )
        askedAddress = try row.optional()
        askedAgent = try row.optional()
        let place: String? = try row.optional()
        let sealed: [UInt8]? = try row.optional()
        if let place = place.flatMap({ SecretPlace($0) }), let sealed {
            secret = StoredSecret(place: place, sealed: sealed)
        }
        if try row.value(Bool.self) { notice = try Notice(&row) }
    }
}

/// The statements on letters; those of invitations and notices are in the functions of their acts.
private enum OutboxStatements {
    static let closeChannels = PostgresStatement(
        "outbox.close_channels",
        "delete from outbox_channels c where c.channel <> all ($1::text[])"
    )
    static let openChannels = PostgresStatement(
        "outbox.open_channels",
        "insert into outbox_channels (channel) select unnest($1::text[]) on conflict (channel) do nothing"
    )
    static let channels = PostgresStatement("outbox.channels", "select c.channel from outbox_channels c")
    /// One letter alone: each makes a link of its own, and the newest one is the only one that holds.
    static let askReset = PostgresStatement(
        "outbox.ask_reset",
        """
        insert into outbox (
            id, channel, kind, recipient, created_at, next_at, give_up_at, asked_address, asked_agent
        )
        select $1::uuid, c.channel, 'password_reset', $2::text, $3::timestamptz, $3::timestamptz, $4::timestamptz,
            $5::text, $6::text
        from (select channel from outbox_channels order by channel limit 1) c
        where (
            select count(*) from outbox o
            where o.recipient = $2::text and o.kind = 'password_reset'
                and o.created_at > $3::timestamptz - interval '1 hour'
        ) < coalesce($7::integer, 2147483647)
        returning id
        """
    )
    static let putTest = PostgresStatement(
        "outbox.put_test",
        """
        insert into outbox (id, channel, kind, recipient, created_at, next_at, give_up_at)
        select $1::uuid, c.channel, 'test', $3::text, $4::timestamptz, $4::timestamptz, $5::timestamptz
        from outbox_channels c where c.channel = $2::text
        returning id
        """
    )
    static let claim = PostgresStatement(
        "outbox.claim",
        """
        select \(ClaimedLetter.columns)
        from errand_claim_letters(
            $1::timestamptz, $2::bigint * interval '1 millisecond', $3::text[], $4::integer
        ) c
        left join secrets s on s.place = c.secret
        left join notices n on n.id = c.notice_id
        order by c.created_at
        """
    )
    static let settle = PostgresStatement(
        "outbox.settle",
        """
        select errand_settle_letter(
            $1::uuid, $2::integer, $3::text, $4::timestamptz, $5::text, $6::text, $7::timestamptz
        )
        """
    )
    static let drop = PostgresStatement(
        "outbox.drop",
        "delete from outbox where id = $1::uuid and attempts = $2::integer and state = 'waiting'"
    )
    static let list = PostgresStatement(
        "outbox.list",
        """
        select \(Letter.columns) from outbox o where $1::text is null or o.state = $1::text
        order by o.created_at desc, o.id desc limit $2::integer
        """
    )
    static let get = PostgresStatement(
        "outbox.get",
        "select \(Letter.columns) from outbox o where o.id = $1::uuid"
    )
    static let prune = PostgresStatement(
        "outbox.prune",
        "select errand_prune_outbox($1::timestamptz, $2::bigint * interval '1 millisecond', $3::integer)"
    )
}
