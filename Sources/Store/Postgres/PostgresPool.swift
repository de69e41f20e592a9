import Core
import Platform

/// A few sessions of one loop; each group goes to the one with the least to answer.
///
/// Lost sessions are opened again, with growing pauses while the server is away. Groups that find no session wait in a
/// bounded line for a bounded time.
final class PostgresPool {
    /// Beyond this many unanswered groups a session gains nothing and its queue only grows.
    private static let pipelineDepth = 128
    /// More requests in line than this cannot be served within their time.
    private static let lineLength = 4_096
    /// A restart of the server takes less; a person waits no longer.
    private static let lineTime = Duration.seconds(5)
    /// Planning all statements again takes some milliseconds.
    private static let planAge = Duration.seconds(60)
    private static let discardPlans = PostgresStatement("pool.discard_plans", "discard plans")
    private static let firstPause = Duration.milliseconds(50)
    private static let longestPause = Duration.seconds(5)

    private let parameters: ConnectionParameters
    private let size: Int
    private let loop: EventLoop
    private var sessions: [PostgresConnection] = []
    private var line = FirstInFirstOut<Place>()
    private var isClosed = false
    private let closing = LoopCondition()
    private var keepers = 0

    /// A pool that holds no session yet.
    init(_ parameters: ConnectionParameters, size: Int, loop: EventLoop) {
        self.parameters = parameters
        self.size = max(1, size)
        self.loop = loop
    }

    /// Opens the first session, so that a wrong address or password is told at once, then keeps all of them open.
    func start() async throws(StoreError) {
        let first = try await PostgresConnection.open(parameters, on: loop)
        guard !isClosed else { return first.close() }
        for index in 0..<size {
            keepers += 1
            loop.spawnLocal { [self] in
                await keep(index == 0 ? first : nil)
                keepers -= 1
                closing.signalAll()
            }
        }
    }

    /// Runs a group as one transaction; `unavailable` when no session could take or answer it.
    ///
    /// When the session is lost on the way nobody knows whether the group was committed.
    func run(_ group: PostgresGroup) async throws(StoreError) -> [PostgresResult] {
        if let session = freeSession { return try await session.run(group) }
        guard !isClosed else { throw .unavailable("the store is closed") }
        guard line.count < Self.lineLength else { throw .unavailable("too many queries wait for a database session") }
        let place = Place()
        line.append(place)
        let timer = loop.schedule(after: Self.lineTime) { [self] in
            line.removeAll { $0 === place }
            place.ready.signalAll()
        }
        await place.ready.wait()
        timer.cancel()
        guard let session = place.session else {
            throw .unavailable(isClosed ? "the store is closed" : "no database session within \(Self.lineTime)")
        }
        session.promised -= 1
        return try await session.run(group)
    }

    /// Runs one statement as a transaction.
    func run(_ scope: Scope?, _ call: PostgresCall) async throws(StoreError) -> PostgresResult {
        try await run(PostgresGroup(scope, [call])).at(0)
    }

    /// Whether a session is open.
    var isOpen: Bool { !sessions.isEmpty }

    /// Closes every session; whoever waits is answered `unavailable`.
    func close() async {
        isClosed = true
        while let place = line.removeFirst() { place.leave(nil) }
        for session in sessions { session.close() }
        closing.signalAll()
        while keepers > 0 { await closing.wait() }
    }

    private var freeSession: PostgresConnection? {
        guard let session = sessions.min(by: { $0.load < $1.load }), session.load < Self.pipelineDepth else {
            return nil
        }
        return session
    }

    /// Keeps one session open until the pool is closed.
    private func keep(_ first: PostgresConnection?) async {
        var next = first
        var pause = Self.firstPause
        while !isClosed {
            if next == nil { next = try? await PostgresConnection.open(parameters, on: loop) }
            if let session = next, !isClosed {
                pause = Self.firstPause
                await serve(session)
            } else {
                next?.close()
                // Not all loops of all replicas at the same moment.
                let share = Double.random(in: 0.5...1)
                _ = await closing.wait(timeout: pause * share, on: loop)
                pause = min(pause * 2, Self.longestPause)
            }
            next = nil
        }
        next?.close()
    }

    private func serve(_ session: PostgresConnection) async {
        let lost = LoopCondition()
        session.onClose = { lost.signalAll() }
        session.onAnswer = { [unowned self] in admit() }
        sessions.append(session)
        admit()
        // Plans that were made for the tables of a minute ago are made again.
        while session.isOpen, await !lost.wait(timeout: Self.planAge, on: loop) {
            _ = try? await session.run(PostgresGroup(nil, [Self.discardPlans()]))
        }
        sessions.removeAll { $0 === session }
    }

    /// Lets those in line go while a session has room.
    private func admit() {
        while !line.isEmpty, let session = freeSession, let place = line.removeFirst() { place.leave(session) }
    }
}

/// A place in the line for a session.
private final class Place {
    let ready = LoopCondition()
    private(set) var session: PostgresConnection?

    func leave(_ session: PostgresConnection?) {
        self.session = session
        session?.promised += 1
        ready.signalAll()
    }
}

extension [PostgresResult] {
    /// The answer to the statement at a place of the group.
    func at(_ index: Int) throws(StoreError) -> PostgresResult {
        guard indices.contains(index) else { throw .failed(stage: "answer \(index) is missing", sqlState: "08P01") }
        return self[index]
    }
}
