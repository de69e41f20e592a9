/// Connections whose finished responses wait behind a handler of a later, pipelined request.
///
/// They are sent when the loop has nothing to run: then that handler waits for something, and they must not.
final class FlushQueue {
    private var waiting: [ServerConnection] = []

    func add(_ connection: ServerConnection) {
        waiting.append(connection)
    }

    func flush() {
        guard !waiting.isEmpty else { return }
        let connections = waiting
        waiting.removeAll(keepingCapacity: true)
        for connection in connections { connection.flushWithoutWaiting() }
    }
}
