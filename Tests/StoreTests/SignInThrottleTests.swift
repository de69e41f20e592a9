import Bytes
import Core
import Platform
import TestSupport
import Testing

@testable import Store

/// The counters of failed sign-ins, held to the same promises in PostgreSQL and in memory.
@Suite(.timeLimit(.minutes(2))) struct SignInThrottleTests {
    private static let countRows = PostgresStatement("rows.count", "select count(*) from login_failures")

    enum Backend: CaseIterable, Sendable { case memory, postgres }

    /// Tries one after the other, on a clock of the test's own.
    private final class Door {
        let throttle: any SignInThrottle
        let world: World
        var now = World.start

        init(_ throttle: any SignInThrottle, _ world: World) {
            self.throttle = throttle
            self.world = world
        }

        func attempt(_ account: UInt8, at place: UInt8, device: Bool = false) -> SignInTry {
            SignInTry(account: [account], place: [place], isKnownDevice: device, begunAt: now)
        }

        /// Tries with a wrong secret: the seconds to wait, or nil when it was judged.
        @discardableResult
        func fail(_ account: UInt8, at place: UInt8, device: Bool = false) async throws -> Int? {
            switch try await throttle.begin(attempt(account, at: place, device: device)) {
            case .granted: return nil
            case .wait(let until, _): return Int((until - now).components.seconds)
            }
        }

        /// Tries with the right secret; false when it has to wait.
        func succeed(_ account: UInt8, at place: UInt8, device: Bool = false) async throws -> Bool {
            let attempt = attempt(account, at: place, device: device)
            guard try await throttle.begin(attempt) == .granted else { return false }
            try await throttle.end(attempt, .right)
            return true
        }
    }

    private func hold(_ backend: Backend, _ body: @escaping @Sendable (Door) async throws -> Void) async throws {
        try await withWorld { world in
            switch backend {
            case .memory: try await body(Door(InMemorySignInThrottle(), world))
            case .postgres: try await body(Door(world.store.signInThrottle, world))
            }
        }
    }

    @Test(arguments: Backend.allCases) func `after five failures the wait doubles up to a minute`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { (door: Door) async throws in
            for _ in 0..<4 {
                #expect(try await door.fail(1, at: 1) == nil)
                door.now = door.now.adding(.milliseconds(100))
            }
            for wait in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
                #expect(try await door.fail(1, at: 1) == nil)
                // What is tried meanwhile waits for the same end, and makes it no later.
                for _ in 0..<3 { #expect(try await door.fail(1, at: 1) == wait) }
                door.now = door.now.adding(.seconds(wait)).adding(.milliseconds(-1))
                #expect(try await door.fail(1, at: 1) == 0)
                door.now = door.now.adding(.milliseconds(1))
            }
            // Nobody else waits: not this account elsewhere, nor another one here.
            #expect(try await door.fail(1, at: 2) == nil)
            #expect(try await door.fail(2, at: 1) == nil)
        }
    }

    @Test(arguments: Backend.allCases) func `success forgets the failures of its pair`(_ backend: Backend) async throws
    {
        try await hold(backend) { (door: Door) async throws in
            for _ in 0..<5 { try await door.fail(1, at: 1) }
            #expect(try await door.fail(1, at: 1) == 1)
            #expect(try await door.succeed(1, at: 1) == false)
            door.now = door.now.adding(.seconds(1))
            #expect(try await door.succeed(1, at: 1))
            for _ in 0..<5 { #expect(try await door.fail(1, at: 1) == nil) }
            #expect(try await door.fail(1, at: 1) == 1)
        }
    }

    @Test(arguments: Backend.allCases) func `a try that nobody judged is no failure`(_ backend: Backend) async throws {
        try await hold(backend) { (door: Door) async throws in
            for _ in 0..<50 {
                let attempt = door.attempt(1, at: 1)
                #expect(try await door.throttle.begin(attempt) == .granted)
                try await door.throttle.end(attempt, .undecided)
                door.now = door.now.adding(.milliseconds(1))
            }
        }
    }

    @Test(arguments: Backend.allCases) func `a block is told of once, and the next one once more`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { (door: Door) async throws in
            func isFirst() async throws -> Bool? {
                guard case .wait(_, let isFirst) = try await door.throttle.begin(door.attempt(1, at: 1)) else {
                    return nil
                }
                return isFirst
            }
            for _ in 0..<5 { #expect(try await isFirst() == nil) }
            #expect(try await isFirst() == true)
            #expect(try await isFirst() == false)
            door.now = door.now.adding(.seconds(1))
            #expect(try await isFirst() == nil)
            #expect(try await isFirst() == true)
            #expect(try await isFirst() == false)
        }
    }

    @Test(arguments: Backend.allCases) func `a guesser with many addresses slows an account down, and locks nobody out`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { (door: Door) async throws in
            #expect(try await door.succeed(1, at: 200))
            for place in 0..<100 { #expect(try await door.fail(1, at: UInt8(place)) == nil) }
            #expect(try await door.fail(1, at: 150) == 1)
            door.now = door.now.adding(.seconds(1))
            #expect(try await door.fail(1, at: 151) == nil)
            #expect(try await door.fail(1, at: 152) == 2)
            // Where the account was signed in to, and the device that was, are not made to wait; nor is another account.
            #expect(try await door.succeed(1, at: 200))
            #expect(try await door.succeed(1, at: 152, device: true))
            #expect(try await door.fail(2, at: 152) == nil)
            // Ninety days later nobody knows the place any more.
            door.now = door.now.adding(SignInBackOff.knownPlaces).adding(.seconds(1))
            for place in 0..<100 { #expect(try await door.fail(1, at: UInt8(place)) == nil) }
            #expect(try await door.succeed(1, at: 200) == false)
        }
    }

    @Test(arguments: Backend.allCases) func `who tries one password on many accounts slows down alone`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { (door: Door) async throws in
            for account in 0..<20 { #expect(try await door.fail(UInt8(account), at: 1) == nil) }
            #expect(try await door.fail(100, at: 1) == 1)
            #expect(try await door.fail(100, at: 2) == nil)
            #expect(try await door.succeed(101, at: 1, device: true))
            door.now = door.now.adding(.seconds(3_601))
            #expect(try await door.fail(102, at: 1) == nil)
            #expect(try await door.fail(103, at: 1) == nil)
        }
    }

    @Test(arguments: Backend.allCases) func `a known device answers for its own failures only`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { (door: Door) async throws in
            for _ in 0..<5 { #expect(try await door.fail(1, at: 9, device: true) == nil) }
            #expect(try await door.fail(1, at: 9, device: true) == 1)
            // Neither its account elsewhere nor another of its devices pays for it.
            #expect(try await door.fail(1, at: 8) == nil)
            #expect(try await door.succeed(1, at: 7, device: true))
        }
    }

    @Test(arguments: Backend.allCases) func `a day without failures begins anew`(_ backend: Backend) async throws {
        try await hold(backend) { (door: Door) async throws in
            for _ in 0..<5 { try await door.fail(1, at: 1) }
            door.now = door.now.adding(.seconds(86_401))
            for _ in 0..<5 { #expect(try await door.fail(1, at: 1) == nil) }
            #expect(try await door.fail(1, at: 1) == 1)
        }
    }

    @Test(arguments: Backend.allCases) func `a clock that is set back lengthens no wait`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { (door: Door) async throws in
            let real = door.now
            door.now = real.adding(.seconds(86_400))
            for _ in 0..<5 { try await door.fail(1, at: 1) }
            #expect(try await door.fail(1, at: 1) == 1)
            for place in 2..<100 { try await door.fail(1, at: UInt8(place)) }
            #expect(try await door.fail(1, at: 100) == 1)
            door.now = real
            for place in [1, 100] as [UInt8] { #expect(try await door.fail(1, at: place) == 1) }
            door.now = real.adding(.milliseconds(999))
            #expect(try await door.fail(1, at: 1) == 0)
            door.now = real.adding(.seconds(1))
            // What was counted before counts on: the next wait is the longer one.
            #expect(try await door.succeed(1, at: 1))
            #expect(try await door.fail(1, at: 100) == nil)
            #expect(try await door.fail(1, at: 101) == 2)
            // Servers whose clocks differ by less than a minute keep each other's waits.
            for _ in 0..<9 { try await door.fail(2, at: 150) }
            let wait = try #require(try await door.fail(2, at: 150))
            door.now = door.now.adding(.seconds(-59))
            #expect(try await door.fail(2, at: 150) == wait + 59)
        }
    }

    @Test func `of a thousand tries at once five are judged`() async throws {
        try await withWorld { world in
            let attempt = SignInTry(account: [1], place: [1], isKnownDevice: false, begunAt: World.start)
            let leaves = try await world.atOnce(1_000) { _ in try await world.store.signInThrottle.begin(attempt) }
            #expect(leaves.count { $0 == .granted } == 5)
            #expect(leaves.count { $0 == .wait(until: World.start.adding(.seconds(1)), isFirst: true) } == 1)
        }
    }

    @Test func `tries that cross each other do not wait for each other`() async throws {
        try await withWorld { world in
            let throttle = world.store.signInThrottle
            _ = try await world.atOnce(400) { number in
                let attempt = SignInTry(
                    account: [UInt8(number % 7)],
                    place: [UInt8(number % 5)],
                    isKnownDevice: number % 11 == 0,
                    begunAt: World.start.adding(.seconds(number))
                )
                guard try await throttle.begin(attempt) == .granted else { return }
                try await throttle.end(attempt, number % 2 == 0 ? .right : .undecided)
            }
        }
    }

    @Test(arguments: Backend.allCases) func `what no longer counts is forgotten`(_ backend: Backend) async throws {
        try await hold(backend) { (door: Door) async throws in
            for _ in 0..<5 { try await door.fail(1, at: 1) }
            _ = try await door.throttle.prune(now: door.now.adding(.seconds(3_600)), limit: 100)
            #expect(try await door.fail(1, at: 1) == 1)
            _ = try await door.throttle.prune(now: door.now.adding(.seconds(90_000)), limit: 100)
            #expect(try await door.fail(1, at: 1) == nil)
        }
    }

    @Test(arguments: Backend.allCases) func `one place alone does not make an account wait elsewhere`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { (door: Door) async throws in
            // A guesser goes on and on from one place, as fast as it may.
            for _ in 0..<200 {
                try await door.fail(1, at: 1)
                door.now = door.now.adding(.seconds(60))
            }
            #expect(try await door.fail(1, at: 2) == nil)
            // From ten places and more the account waits.
            for place in 3..<12 {
                for _ in 0..<10 {
                    try await door.fail(1, at: UInt8(place))
                    door.now = door.now.adding(.seconds(61))
                }
            }
            #expect(try await door.fail(1, at: 100) == nil)
            #expect(try await door.fail(1, at: 101) == 4)
            // A success takes back what it was counted and no more: of a pair beyond its ten that is nothing.
            door.now = door.now.adding(.seconds(4))
            #expect(try await door.succeed(1, at: 1))
            #expect(try await door.fail(1, at: 102) == nil)
            #expect(try await door.fail(1, at: 103) == 8)
        }
    }

    @Test func `a try that is refused leaves no row, and what a flood leaves is gone in an hour`() async throws {
        try await withWorld { world in
            let throttle = world.store.signInThrottle
            func rows() async throws -> Int {
                let pool = PostgresPool(try ConnectionParameters(world.url), size: 1, loop: world.loop)
                try await pool.start()
                let found = try await pool.run(.system, Self.countRows()).first { row throws(StoreError) in
                    try row.value(Int.self)
                }
                await pool.close()
                return found ?? 0
            }
            func attempt(_ account: UInt8, _ place: [UInt8], _ now: Timestamp) -> SignInTry {
                SignInTry(account: [account], place: place, isKnownDevice: false, begunAt: now)
            }
            for place in 0..<100 { _ = try await throttle.begin(attempt(1, [UInt8(place)], World.start)) }
            let before = try await rows()
            for place in 0..<50 {
                let leave = try await throttle.begin(attempt(1, [9, UInt8(place)], World.start))
                #expect(leave == .wait(until: World.start.adding(.seconds(1)), isFirst: place == 0))
            }
            #expect(try await rows() == before)
            // A place that fails five times is remembered, and an account that a hundred failed for.
            for _ in 0..<5 { _ = try await throttle.begin(attempt(2, [77], World.start)) }
            let later = World.start.adding(.seconds(3_601))
            #expect(try await throttle.prune(now: later, limit: 10) == 10)
            while try await throttle.prune(now: later, limit: 10) == 10 {}
            #expect(try await rows() == 2)
        }
    }
}
