import Bytes
import Platform

/// Commands and their answers over one link, in order, many at once.
final class RedisConnection {
    typealias Completion = (Result<RedisReply, RedisError>) -> Void

    /// True when the greeting went well; commands are refused before.
    private(set) var isReady = false
    /// Why the last greeting failed, while it concerns the set-up and not the connection.
    private(set) var refusal: RedisError?

    /// An answer that takes longer means a Redis that hangs, which is as good as none.
    private static let commandTimeout = Duration.seconds(2)
    private static let watchInterval = Duration.milliseconds(250)

    private struct Waiting {
        var sentAt: Instant
        var done: Completion
    }

    private let link: RedisLink
    private let loop: EventLoop
    private let credentials: RedisCredentials?
    private let changed = LoopCondition()
    private var waiting: [Waiting] = []
    private var answered = 0
    private var watch: LoopTimer?
    private var digests: [RedisScript: String] = [:]
    private var trials = 0

    init(configuration: QueueConfiguration, loop: EventLoop) {
        self.loop = loop
        credentials = configuration.credentials
        link = RedisLink(address: configuration.address, loop: loop)
        link.onOpen = { [weak self] in self?.greet() }
        link.onReply = { [weak self] in self?.answer($0) }
        link.onClose = { [weak self] in self?.lose() }
        link.onUnreachable = { [weak self] in self?.lose() }
    }

    var writes: Int { link.writes }

    /// Begins to connect and waits for the first outcome; false when Redis cannot be reached yet.
    func start() async throws(RedisError) -> Bool {
        link.start()
        while !isReady, trials == 0 { await changed.wait() }
        if let refusal { throw refusal }
        return isReady
    }

    func close() async {
        await link.close()
        watch?.cancel()
        watch = nil
    }

    /// Sends a command; `done` is called once, at once when it was refused.
    func send(_ command: RedisCommand, _ done: @escaping Completion) {
        guard isReady else { return done(.failure(.away)) }
        enqueue(command, done)
    }

    /// Sends a command whose answer nobody needs.
    func post(_ command: RedisCommand) { send(command) { _ in } }

    /// Sends a command and waits for its answer; an error answer is thrown.
    func call(_ command: RedisCommand) async throws(RedisError) -> RedisReply {
        try await settle { send(command, $0) }
    }

    /// Runs a script by its digest, and by its text when Redis has forgotten it.
    func run(_ script: RedisScript, _ arguments: RedisCommand, _ done: @escaping Completion) {
        guard let digest = digests[script] else { return evaluate(script, arguments, done) }
        var command = RedisCommand("EVALSHA", digest, "0")
        command.add(arguments)
        send(command) { [unowned self] result in
            if case .success(.error(let message)) = result, message.hasPrefix("NOSCRIPT") {
                return evaluate(script, arguments, done)
            }
            done(result)
        }
    }

    /// Runs a script and waits for its answer; an error answer is thrown.
    func run(_ script: RedisScript, _ arguments: RedisCommand) async throws(RedisError) -> RedisReply {
        try await settle { run(script, arguments, $0) }
    }

    private func evaluate(_ script: RedisScript, _ arguments: RedisCommand, _ done: @escaping Completion) {
        var command = RedisCommand("EVAL", script.source, "0")
        command.add(arguments)
        send(command, done)
    }

    private func settle(_ start: (@escaping Completion) -> Void) async throws(RedisError) -> RedisReply {
        let result: Result<RedisReply, RedisError> = unsafe await withUnsafeContinuation { continuation in
            start { unsafe continuation.resume(returning: $0) }
        }
        let reply = try result.get()
        if case .error(let message) = reply { throw .refused(message) }
        return reply
    }

    private func enqueue(_ command: RedisCommand, _ done: @escaping Completion) {
        guard link.isOpen else { return done(.failure(.away)) }
        guard link.send(command) else { return done(.failure(.overloaded)) }
        waiting.append(Waiting(sentAt: loop.now, done: done))
        if watch == nil { startWatch() }
    }

    private func startWatch() {
        watch = loop.schedule(after: Self.watchInterval) { [weak self] in
            guard let self else { return }
            watch = nil
            guard answered < waiting.count else { return }
            if loop.now - waiting[answered].sentAt > Self.commandTimeout { link.reset() }
            startWatch()
        }
    }

    private func answer(_ reply: RedisReply) {
        // An answer to nothing: the two sides no longer agree on the order.
        guard answered < waiting.count else { return link.reset() }
        let done = waiting[answered].done
        waiting[answered].done = { _ in }
        answered += 1
        if answered == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            answered = 0
        } else if answered > 1_024, answered > waiting.count / 2 {
            waiting.removeFirst(answered)
            answered = 0
        }
        done(.success(reply))
    }

    private func lose() {
        isReady = false
        trials += 1
        changed.signalAll()
        let unanswered = waiting[answered...]
        waiting = []
        answered = 0
        for entry in unanswered { entry.done(.failure(.lost)) }
    }
}

/// The greeting: who we are, whether this Redis keeps what it is given, and our scripts.
extension RedisConnection {
    private func greet() {
        refusal = nil
        if let command = credentials?.command {
            enqueue(command) { [unowned self] result in
                if case .success(.error(let message)) = result { refuse(.refused(message)) }
            }
        }
        enqueue(RedisCommand("INFO", "memory")) { [unowned self] in checkPolicy($0) }
        for script in RedisScript.allCases {
            enqueue(RedisCommand("SCRIPT", "LOAD", script.source)) { [unowned self] result in
                if case .success(let reply) = result, let digest = reply.text { digests[script] = digest }
            }
        }
        enqueue(RedisCommand("PING")) { [unowned self] result in
            guard case .success(let reply) = result, refusal == nil else { return }
            // A Redis that still loads its data answers, but not yet as it should.
            guard reply == .status("PONG") else { return link.reset() }
            isReady = true
            link.settle()
            changed.signalAll()
        }
    }

    private func checkPolicy(_ result: Result<RedisReply, RedisError>) {
        guard case .success(let reply) = result else { return }
        if case .error(let message) = reply { return refuse(.refused(message)) }
        let field = "maxmemory_policy:"
        let line = reply.text?.split(whereSeparator: \.isNewline).first { $0.hasPrefix(field) }
        guard let policy = line?.dropFirst(field.count) else { return refuse(.unexpectedReply) }
        if policy != "noeviction" { refuse(.evicts(policy: String(policy))) }
    }

    private func refuse(_ reason: RedisError) {
        refusal = refusal ?? reason
        link.reset()
    }
}
