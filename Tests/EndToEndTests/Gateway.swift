import Bytes
import Glibc
import Platform
import TestSupport
import Testing

/// A second stand-in, which takes one key: a person's gateway to a model.
struct Gateway {
    let key: String
    let url: String
    private let program: LineProgram

    /// Starts one for an installation that has named 127.0.0.1.
    static func with(_ errand: RunningErrand, key: String, _ body: (Gateway) async throws -> Void) async throws {
        let port = try await freePort(errand)
        let settings = ["ERRAND_STANDIN_LISTEN": "127.0.0.1:\(port)", "ERRAND_STANDIN_KEY": key]
        let gateway = Gateway(
            key: key,
            url: "http://127.0.0.1:\(port)",
            program: try await errand.start(["standin"], settings)
        )
        do {
            try await gateway.answers(port, errand)
            try await body(gateway)
        } catch {
            await gateway.program.kill()
            throw error
        }
        await gateway.program.kill()
    }

    /// The body that sets this gateway's key.
    func form(key other: String? = nil) -> JSONValue {
        .object(
            JSONObject([
                ("provider", .string("compatible")), ("base_url", .string(url)), ("key", .string(other ?? key)),
            ])
        )
    }

    private static func freePort(_ errand: RunningErrand) async throws -> UInt16 {
        try await errand.loop.run { [loop = errand.loop] in
            let listener = try ListeningSocket.bind(
                .ipv4([127, 0, 0, 1], port: 0),
                on: loop,
                reusePort: false,
                backlog: 1
            )
            defer { listener.close() }
            return listener.address.port
        }
    }

    private func answers(_ port: UInt16, _ errand: RunningErrand) async throws {
        try await errand.loop.run { [loop = errand.loop] in
            let end = loop.now.advanced(by: .seconds(20))
            while loop.now < end {
                let address = SocketAddress.ipv4([127, 0, 0, 1], port: port)
                if let socket = try? await ByteSocket.connect(to: address, on: loop, timeout: .seconds(1)) {
                    return socket.close()
                }
                _ = await LoopCondition().wait(timeout: .milliseconds(20), on: loop)
            }
            throw NeverHappened(what: "the gateway answers")
        }
    }
}
