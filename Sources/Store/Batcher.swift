import Core
import Platform

/// Joins requests that come at the same time into one transaction, because a commit costs as much for one as for many.
///
/// The first request goes out at the end of the loop's turn with all that came in it. While two batches are on their
/// way, later requests gather until one is answered: their commits would only stand in line behind those. After
/// `patience` they go all the same, so that a batch that waits for somebody's lock holds up nobody else. A batch that fails for what it holds is
/// tried again request by request, so that nobody pays for another's mistake.
final class Batcher<Request, Answer> {
    private static var batchesUnderWay: Int { 2 }
    /// Several commits of a busy disk: the most that a request waits for batches that are not its own.
    private static var patience: Duration { .milliseconds(10) }

    private let loop: EventLoop
    /// The weight that one batch may have; a heavier request goes alone.
    private let capacity: Int
    private let weigh: (Request) -> Int
    private let perform: ([Request]) async -> Result<[Answer], StoreError>
    private var gathered: [Ticket<Request, Answer>] = []
    private var underWay = 0
    private var isArmed = false
    private var timer: LoopTimer?

    /// A batcher whose batches weigh at most `capacity`.
    init(
        loop: EventLoop,
        capacity: Int,
        weigh: @escaping (Request) -> Int,
        perform: @escaping ([Request]) async -> Result<[Answer], StoreError>
    ) {
        self.loop = loop
        self.capacity = capacity
        self.weigh = weigh
        self.perform = perform
    }

    /// Adds a request and waits for its answer.
    func submit(_ request: Request) async throws(StoreError) -> Answer {
        let ticket = Ticket<Request, Answer>(request)
        await ticket.wait {
            gathered.append(ticket)
            arm()
        }
        return try ticket.outcome()
    }

    private func arm() {
        guard !isArmed, !gathered.isEmpty else { return }
        isArmed = true
        guard underWay >= Self.batchesUnderWay else {
            // Whoever else is ready in this turn gets on.
            return loop.spawnLocal { [self] in depart() }
        }
        timer = loop.schedule(after: Self.patience) { [self] in depart() }
    }

    private func depart() {
        timer?.cancel()
        timer = nil
        isArmed = false
        while !gathered.isEmpty {
            var load = 0
            var count = 0
            for ticket in gathered {
                load += weigh(ticket.request)
                if count > 0, load > capacity { break }
                count += 1
            }
            let batch = Array(gathered.prefix(count))
            gathered.removeFirst(count)
            underWay += 1
            loop.spawnLocal { [self] in
                await carry(batch)
                underWay -= 1
                if underWay < Self.batchesUnderWay, isArmed { depart() }
            }
        }
    }

    private func carry(_ batch: [Ticket<Request, Answer>]) async {
        switch await perform(batch.map(\.request)) {
        case .success(let answers) where answers.count == batch.count:
            for (ticket, answer) in zip(batch, answers) { ticket.finish(.success(answer)) }
        case .success(let answers):
            let error = StoreError.failed(
                stage: "batch: \(answers.count) answers to \(batch.count) requests",
                sqlState: "08P01"
            )
            for ticket in batch { ticket.finish(.failure(error)) }
        case .failure(let error):
            // Lost sessions and want of resources are not the fault of a request.
            if case .unavailable = error { return fail(batch, error) }
            guard batch.count > 1 else { return fail(batch, error) }
            for ticket in batch { await carry([ticket]) }
        }
    }

    private func fail(_ batch: [Ticket<Request, Answer>], _ error: StoreError) {
        for ticket in batch { ticket.finish(.failure(error)) }
    }
}

/// A request whose task waits for the answer.
@safe private final class Ticket<Request, Answer> {
    let request: Request
    private var continuation: UnsafeContinuation<Void, Never>?
    private var result: Result<Answer, StoreError>?

    init(_ request: Request) {
        self.request = request
    }

    func wait(starting start: () -> Void) async {
        unsafe await withUnsafeContinuation { waiting in
            unsafe continuation = waiting
            start()
        }
    }

    func finish(_ result: Result<Answer, StoreError>) {
        self.result = result
        let waiting = unsafe continuation
        unsafe continuation = nil
        unsafe waiting?.resume()
    }

    func outcome() throws(StoreError) -> Answer {
        guard let result else { throw .unavailable("the store is closed") }
        return try result.get()
    }
}
