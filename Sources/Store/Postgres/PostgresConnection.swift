import CPostgres
import Core
import Glibc
import Platform

/// One session in pipeline mode: groups go out as they come and are answered in order; loop-confined.
///
/// Statements are prepared on first use. A lost session fails every group that waits, and does not come back: the pool
/// makes another.
@safe final class PostgresConnection {
    /// A statement may take `statement_timeout` (8 s) on the server; silence beyond that is a dead session, and a person
    /// who waits is told so.
    var answerLimit = Duration.seconds(12)

    private let loop: EventLoop
    private var raw: OpaquePointer?
    private var source: Source?
    private var waiting = FirstInFirstOut<PendingGroup>()
    private var prepared: Set<String> = []
    private var refusedPreparations: [String: StoreError] = [:]
    private var watchdog: LoopTimer?
    /// Called once, when the session ends for whatever reason.
    var onClose: (() -> Void)?
    /// Called when a group was answered, so that there is room for another.
    var onAnswer: (() -> Void)?
    /// Groups that the pool has promised to this session and that are on their way.
    var promised = 0

    /// Takes over an open session and the watch of its socket.
    init(taking raw: OpaquePointer, source: Source, loop: EventLoop) {
        unsafe self.raw = unsafe raw
        self.source = source
        self.loop = loop
        source.onEvents = { [unowned self] _ in receive() }
        // What came in before the callback was set has had its edge already.
        receive()
    }

    deinit {
        watchdog?.cancel()
        source?.close()
        if let raw = unsafe raw { unsafe PQfinish(raw) }
    }

    /// Whether the session still answers.
    var isOpen: Bool { unsafe raw != nil }

    /// The groups that wait for their answer, or will.
    var load: Int { waiting.count + promised }

    /// Sends a group and waits for its answers: those of its calls, in order.
    func run(_ group: PostgresGroup) async throws(StoreError) -> [PostgresResult] {
        let opening = group.opening
        let calls = (opening.map { [$0] } ?? []) + group.calls
        let pending = PendingGroup(.group, stages: calls.map(\.statement.name), sentAt: loop.now)
        await pending.wait { send(calls, pending) }
        let answers = try pending.outcome()
        return opening == nil ? answers : Array(answers.dropFirst())
    }

    /// Runs a script of several statements, outside pipeline mode; only while nothing else is sent on the session.
    func script(_ text: String, stage: String) async throws(StoreError) {
        let pending = PendingGroup(.script, stages: [stage], sentAt: loop.now)
        await pending.wait { sendScript(text, pending) }
        if let failure = pending.failure { throw failure }
    }

    /// The password as the server stores it, so that its plain form never travels.
    func verifier(of password: String, role: String) -> String? {
        guard let raw = unsafe raw, let text = unsafe PQencryptPasswordConn(raw, password, role, "scram-sha-256") else {
            return nil
        }
        defer { unsafe PQfreemem(text) }
        return unsafe String(cString: text)
    }

    /// A name in quotes, where the grammar takes no parameter.
    func quotedIdentifier(_ name: String) -> String? {
        guard let raw = unsafe raw, let text = unsafe PQescapeIdentifier(raw, name, name.utf8.count) else { return nil }
        defer { unsafe PQfreemem(text) }
        return unsafe String(cString: text)
    }

    /// A text in quotes, where the grammar takes no parameter.
    func quotedLiteral(_ value: String) -> String? {
        guard let raw = unsafe raw, let text = unsafe PQescapeLiteral(raw, value, value.utf8.count) else { return nil }
        defer { unsafe PQfreemem(text) }
        return unsafe String(cString: text)
    }

    /// Ends the session; whoever waits is answered `unavailable`.
    func close(_ reason: String = "the session was closed") {
        guard let raw = unsafe raw else { return }
        unsafe self.raw = nil
        // Before libpq closes the descriptor.
        source?.close()
        source = nil
        unsafe PQfinish(raw)
        watchdog?.cancel()
        while let pending = waiting.removeFirst() {
            pending.fail(.unavailable(reason))
            pending.finish()
        }
        let callback = onClose
        onClose = nil
        callback?()
    }
}

// MARK: - Sending

extension PostgresConnection {
    private func send(_ calls: [PostgresCall], _ pending: PendingGroup) {
        for call in calls where !prepared.contains(call.statement.name) {
            guard let raw = unsafe raw else { return refuse(pending) }
            let preparation = PendingGroup(
                .preparation(of: call.statement.name),
                stages: [call.statement.name],
                sentAt: loop.now
            )
            // In a group of its own: a failure before it in the caller's group must not skip it.
            let sent = unsafe PQsendPrepare(raw, call.statement.name, call.statement.text, 0, nil)
            guard sent == 1, unsafe PQpipelineSync(raw) == 1 else { return abandon(pending) }
            prepared.insert(call.statement.name)
            append(preparation)
        }
        guard let raw = unsafe raw else { return refuse(pending) }
        for call in calls {
            let sent = unsafe PostgresParameters(call.values).withPointers { count, values, lengths, formats in
                unsafe PQsendQueryPrepared(raw, call.statement.name, count, values, lengths, formats, 1)
            }
            guard sent == 1 else { return abandon(pending) }
        }
        guard unsafe PQpipelineSync(raw) == 1 else { return abandon(pending) }
        append(pending)
    }

    private func sendScript(_ text: String, _ pending: PendingGroup) {
        precondition(waiting.isEmpty, "a script shares its session with nothing")
        guard let raw = unsafe raw else { return refuse(pending) }
        guard unsafe PQexitPipelineMode(raw) == 1, unsafe PQsendQuery(raw, text) == 1,
            unsafe PQflush(raw) >= 0
        else { return abandon(pending) }
        append(pending)
    }

    private func append(_ pending: PendingGroup) {
        waiting.append(pending)
        if watchdog == nil { watch(after: answerLimit) }
    }

    private func refuse(_ pending: PendingGroup) {
        pending.fail(.unavailable("the session is closed"))
        pending.finish()
    }

    /// libpq would not take it: the session is broken or memory is out, and nothing of the group was synchronised.
    private func abandon(_ pending: PendingGroup) {
        let reason = lastError
        close(reason)
        pending.fail(.unavailable(reason))
        pending.finish()
    }

    private func watch(after delay: Duration) {
        watchdog = loop.schedule(after: delay) { [unowned self] in
            watchdog = nil
            guard let oldest = waiting.first else { return }
            let left = oldest.sentAt.advanced(by: answerLimit) - loop.now
            if left <= .zero { return close("no answer for \(answerLimit)") }
            watch(after: left)
        }
    }

    private var lastError: String {
        guard let raw = unsafe raw, let text = unsafe PQerrorMessage(raw) else { return "the session is closed" }
        let message = unsafe String(cString: text)
        return message.isEmpty ? "the session was lost" : String(message.prefix { $0 != "\n" })
    }
}

// MARK: - Receiving

extension PostgresConnection {
    /// Reads until the socket is empty, because the next edge comes only after that.
    private func receive() {
        repeat {
            // It also sends what a full socket held back.
            guard let raw = unsafe raw, unsafe PQconsumeInput(raw) == 1 else { return close(lastError) }
            takeResults()
        } while hasInput
    }

    private var hasInput: Bool {
        guard let raw = unsafe raw else { return false }
        var socket = pollfd(fd: unsafe PQsocket(raw), events: Int16(POLLIN), revents: 0)
        return unsafe poll(&socket, 1, 0) > 0
    }

    private func takeResults() {
        var separators = 0
        while let raw = unsafe raw, unsafe PQisBusy(raw) == 0, let pending = waiting.first {
            guard let result = unsafe PQgetResult(raw) else {
                if case .script = pending.kind { return finishScript(pending) }
                // One stands between two statements; a second one says that there is nothing more.
                separators += 1
                if separators == 2 { return }
                continue
            }
            separators = 0
            unsafe take(result, for: pending)
        }
    }

    private func take(_ result: OpaquePointer, for pending: PendingGroup) {
        let stage = pending.stage
        switch unsafe PQresultStatus(result) {
        case PGRES_PIPELINE_SYNC:
            unsafe PQclear(result)
            _ = waiting.removeFirst()
            settle(pending)
            onAnswer?()
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            let answer = unsafe PostgresResult(taking: result, stage: stage)
            if case .group = pending.kind { pending.add(answer) }
        case PGRES_PIPELINE_ABORTED:
            unsafe PQclear(result)
        default:
            let failure = unsafe ServerFailure(result, stage: stage)
            unsafe PQclear(result)
            // A statement that could not be prepared is not there: the reason says more than its absence.
            let known = failure.sqlState == "26000" ? refusedPreparations[stage] : nil
            pending.fail(known ?? failure.storeError)
        }
    }

    private func settle(_ pending: PendingGroup) {
        if case .preparation(let name) = pending.kind, let failure = pending.failure {
            refusedPreparations[name] = failure
            prepared.remove(name)
        }
        pending.finish()
    }

    private func finishScript(_ pending: PendingGroup) {
        _ = waiting.removeFirst()
        if let raw = unsafe raw, unsafe PQenterPipelineMode(raw) != 1 { close(lastError) }
        pending.finish()
    }
}
