import Operations
package import Platform
import Standin

/// `errand standin`: the model stand-in, for a machine without a model key.
package struct StandinServe: Verb {
    package static let words = ["standin"]
    package static let usage = ""
    package static let summary = "Serve the model stand-in on ERRAND_STANDIN_LISTEN (used by errand up)."

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let configuration = try Configuration.takeOver()
        guard let listen = configuration.standinListen,
            let address = SocketAddress(host: listen.host, port: listen.port)
        else { throw CommandFailure("ERRAND_STANDIN_LISTEN must name a numeric address, such as 127.0.0.1:9000") }
        let listener = try ListeningSocket.bind(address, on: loop, reusePort: false, backlog: 128)
        let server = StandinServer(loop: loop, listener: listener, expectedKey: configuration.standinKey?.reveal())
        await server.run()
        return ExitCode.done
    }
}
