import HTTP

extension ServerConnection {
    /// A batch of pipelined responses is sent when it reaches this size: four TLS records.
    static let batchSize = 64 << 10
    /// An output buffer up to this size is kept by a busy connection.
    private static let keptCapacity = 4 << 10

    /// Sends all of `output` without waiting; false when the socket does not take it all now.
    func flushAtOnce() -> Bool {
        guard !hasFailed else { return false }
        while sent < output.count {
            writes += 1
            switch wire.attemptWrite(output, from: sent) {
            case .wrote(let count):
                sent += count
                bytesSent += count
            case .blocked, .failed: return false
            }
        }
        sent = 0
        if output.capacity > Self.keptCapacity { output = [] } else { output.removeAll(keepingCapacity: true) }
        return true
    }

    /// Sends all of `output`; false when the client is gone.
    func flush() async -> Bool {
        let before = bytesSent
        if flushAtOnce() {
            if budget.spend(bytesSent - before) { await Task.yield() }
            return true
        }
        guard !hasFailed else { return false }
        // The rest leaves `output` first, so that nothing else sends it again while we wait.
        let rest = Array(output[sent...])
        bytesSent += rest.count
        output = []
        sent = 0
        do throws(TransportError) {
            try await wire.write(rest)
            return true
        } catch {
            hasFailed = true
            return false
        }
    }

    /// Sends what the socket takes now, for the loop's flush queue.
    func flushWithoutWaiting() {
        isFlushQueued = false
        _ = flushAtOnce()
    }

    func queueFlush() {
        guard !isFlushQueued else { return }
        isFlushQueued = true
        server.flushQueue.add(self)
    }

    /// Sends a response that takes time, and drains what the handler left of the request; false when it was the last.
    func sendSlowly(_ response: HTTPResponse, _ request: HTTPRequest, _ exchange: inout Exchange) async -> Bool {
        switch response.body {
        case .webSocket(let subprotocol, let limits, let handler):
            await upgrade(request, &exchange, response, subprotocol, limits, handler)
            return false
        case .stream(let length, let produce):
            await exchange.stream(response, length, produce, to: self)
        case .empty, .bytes: break
        }
        guard exchange.keepsAlive, !hasFailed else {
            await finish(&exchange)
            return false
        }
        guard let body = exchange.body else { return true }
        // The answer goes first: a client may read it before it sends the rest.
        if !body.isDone {
            let isSent = await flush()
            guard isSent, await body.drain(limit: server.limits.drainedBody) else {
                await finish(&exchange)
                return false
            }
        }
        body.detach()
        return true
    }
}
