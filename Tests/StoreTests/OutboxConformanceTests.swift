import Bytes
import Core
import TestSupport
import Testing

@testable import Store

/// What is promised of letters that wait, by PostgreSQL and by the double that other rooms test with.
@Suite struct OutboxConformanceTests {
    enum Backend: CaseIterable, Sendable { case memory, postgres }

    private static let lease = Duration.seconds(120)
    private static let now = World.start

    private static func run(
        _ backend: Backend,
        _ body: @escaping @Sendable (any OutboxStore, World) async throws -> Void
    ) async throws {
        try await withWorld { world in
            let outbox: any OutboxStore = backend == .memory ? InMemoryOutbox() : world.store.outbox
            try await body(outbox, world)
        }
    }

    private static func put(
        _ outbox: any OutboxStore,
        at seconds: Int = 0,
        to name: String = "a"
    ) async throws -> LetterID {
        let time = now.adding(seconds: seconds)
        let id = LetterID(at: time)
        try #require(try await outbox.putTest(id, .mail, to: "\(name)@example.org", now: time))
        return id
    }

    private static func claim(
        _ outbox: any OutboxStore,
        _ channels: Set<LetterChannel> = [.mail],
        at seconds: Int = 0,
        limit: Int = 9
    ) async throws -> [ClaimedLetter] {
        try await outbox.claim(channels, now: now.adding(seconds: seconds), lease: lease, limit: limit)
    }

    @Test(arguments: Backend.allCases)
    func `letters go by the channels that are set, and by no other`(_ backend: Backend) async throws {
        try await Self.run(backend) { outbox, _ in
            #expect(try await outbox.channels().isEmpty)
            #expect(try await !outbox.putTest(LetterID(at: Self.now), .mail, to: "a@example.org", now: Self.now))
            try await outbox.setChannels([.mail, .webhook])
            #expect(try await outbox.channels() == [.mail, .webhook])
            let id = try await Self.put(outbox)
            #expect(try await Self.claim(outbox, [.webhook]).isEmpty)
            #expect(try await Self.claim(outbox).map(\.id) == [id])
            try await outbox.setChannels([.webhook])
            #expect(try await outbox.channels() == [.webhook])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a claim keeps a letter from everybody until its lease has ended`(_ backend: Backend) async throws {
        try await Self.run(backend) { outbox, _ in
            try await outbox.setChannels([.mail])
            let ids = [try await Self.put(outbox), try await Self.put(outbox, at: 1, to: "b")]
            #expect(try await Self.claim(outbox, limit: 9).map(\.id) == [ids[0]])
            #expect(try await Self.claim(outbox, at: 1).map(\.id) == [ids[1]])
            #expect(try await Self.claim(outbox, at: 119).isEmpty)
            // Whoever held it has ended in the middle.
            let again = try await Self.claim(outbox, at: 120)
            #expect(again.map(\.id) == [ids[0]] && again.map(\.attempt) == [2])
        }
    }

    @Test(arguments: Backend.allCases)
    func `what became of a claim is written once, and not by one that is over`(_ backend: Backend) async throws {
        try await Self.run(backend) { outbox, _ in
            try await outbox.setChannels([.mail])
            let id = try await Self.put(outbox)
            let first = try #require(try await Self.claim(outbox).first)
            let second = try #require(try await Self.claim(outbox, at: 120).first)
            let now = Self.now.adding(seconds: 121)
            #expect(try await !outbox.settle(first, .failed(error: "late"), now: now))
            #expect(try await outbox.settle(second, .delayed(until: now.adding(seconds: 60), error: "busy"), now: now))
            let waiting = try #require(try await outbox.letter(id))
            #expect(waiting.state == .waiting && waiting.lastError == "busy" && waiting.attempts == 2)
            #expect(try await Self.claim(outbox, at: 180).isEmpty)
            let third = try #require(try await Self.claim(outbox, at: 181).first)
            #expect(try await outbox.settle(third, .sent(receipt: "250 ok"), now: now))
            #expect(try await !outbox.settle(third, .sent(receipt: "250 again"), now: now))
            let sent = try #require(try await outbox.letter(id))
            #expect(sent.state == .sent && sent.receipt == "250 ok" && sent.lastError == nil && sent.doneAt == now)
            #expect(try await Self.claim(outbox, at: 9_999).isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `of a letter that is dropped nothing stays`(_ backend: Backend) async throws {
        try await Self.run(backend) { outbox, _ in
            try await outbox.setChannels([.mail])
            let id = try await Self.put(outbox)
            let claimed = try #require(try await Self.claim(outbox).first)
            #expect(try await outbox.settle(claimed, .dropped, now: Self.now))
            #expect(try await outbox.letter(id) == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an address gets so many links to a new password an hour, whoever has it`(_ backend: Backend) async throws {
        try await Self.run(backend) { outbox, world in
            let (known, stranger) = (try await world.person().user.email, "nobody@example.org")
            func ask(_ address: String, at seconds: Int, most: Int? = 3) async throws -> Bool {
                let now = Self.now.adding(seconds: seconds)
                let request = ResetRequest(
                    id: LetterID(at: now),
                    recipient: address,
                    now: now,
                    address: "192.0.2.9",
                    userAgent: "Browser"
                )
                return try await outbox.askReset(request, most: most)
            }
            #expect(try await !ask(known, at: 0))
            try await outbox.setChannels([.mail, .webhook])
            for address in [known, stranger] {
                for second in 0..<3 { #expect(try await ask(address, at: second)) }
                #expect(try await !ask(address, at: 3))
                #expect(try await ask(address, at: 3, most: nil))
                #expect(try await ask(address, at: 3_603, most: 2))
            }
            let claimed = try #require(try await Self.claim(outbox, limit: 1).first)
            #expect(claimed.kind == .passwordReset && claimed.channel == .mail && claimed.secret == nil)
            #expect(claimed.askedAddress == "192.0.2.9" && claimed.askedAgent == "Browser")
            // One way for each: a second link would end the first.
            #expect(try await Self.claim(outbox, [.webhook], at: 9_999).isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `receipts are kept for their time, and what nobody sends is given up`(_ backend: Backend) async throws {
        try await Self.run(backend) { outbox, _ in
            try await outbox.setChannels([.mail])
            let sent = try await Self.put(outbox)
            let claimed = try #require(try await Self.claim(outbox).first)
            #expect(try await outbox.settle(claimed, .sent(receipt: "250"), now: Self.now))
            let stuck = try await Self.put(outbox, at: 1, to: "b")
            let day = 86_400
            func prune(_ days: Int) async throws -> Int {
                try await outbox.prune(
                    now: Self.now.adding(seconds: days * day + 2),
                    kept: OutboxLimits.kept,
                    limit: 10
                )
            }
            #expect(try await prune(3) == 0)
            #expect(try await outbox.letters(.waiting, limit: 9).map(\.id) == [stuck])
            #expect(try await prune(4) == 0)
            #expect(try await outbox.letters(.failed, limit: 9).map(\.id) == [stuck])
            #expect(try await outbox.letters(nil, limit: 9).map(\.id) == [stuck, sent])
            #expect(try await outbox.letters(nil, limit: 1).map(\.id) == [stuck])
            #expect(try await prune(30) == 1)
            #expect(try await outbox.letter(sent) == nil)
            #expect(try await prune(35) == 1)
        }
    }
}
