import Bytes
import Core
import Crypto
import HTTP
import Link
import Platform
import TestSupport
import Testing
import Transport

@testable import Worker

@Suite struct EnrolmentTests {
    private static let worker = WorkerID(at: Timestamp(milliseconds: 1_790_000_000_000))

    /// A server that answers enrolments by a script, and what it was asked.
    private final class Rig {
        let loop: EventLoop
        let client: HTTPClient
        let base: ClientURL
        let path: String
        var asked: [JSONValue] = []
        var answers: [Int] = []
        private let server: HTTPServer

        init(_ loop: EventLoop, _ directory: String) throws {
            self.loop = loop
            path = directory + "/worker.json"
            client = HTTPClient(loop: loop, tls: nil)
            let limits = ServerLimits()
            let answering = Answering()
            server = HTTPServer(
                loop: loop,
                listener: try ListeningSocket.bind(
                    .ipv4([127, 0, 0, 1], port: 0),
                    on: loop,
                    reusePort: false,
                    backlog: 16
                ),
                tls: nil,
                limits: limits,
                connectionCounter: ConnectionCounter(limits: limits)
            ) { await answering.answer($0) }
            base = try #require(ClientURL("http://\(server.address)"))
            answering.take = { [unowned self] in take($0) }
            loop.spawnLocal { [server] in await server.run() }
        }

        func end() async { await server.drain(deadline: .seconds(2)) }

        /// Answers 201 unless the script has something else.
        private func take(_ body: [UInt8]) -> HTTPResponse {
            asked.append((try? JSONReader.parse(body)) ?? .null)
            let status = answers.isEmpty ? 201 : answers.removeFirst()
            let text = status == 201 ? #"{"worker_id":"\#(EnrolmentTests.worker)"}"# : #"{"code":"worker_refused"}"#
            return HTTPResponse(status: status, body: .bytes(Array(text.utf8)))
        }

        func enrol(_ token: String = "ere_one") async throws -> WorkerCredentials {
            try await Enrolment.enrol(token: token, client: client, base: base, path: path)
        }

        var credentials: [String?] { asked.map { $0["credential"]?.string } }
    }

    /// Reads a request whole and has it answered.
    private final class Answering {
        var take: ([UInt8]) -> HTTPResponse = { _ in HTTPResponse(status: 500, body: .empty) }

        func answer(_ request: HTTPRequest) async -> HTTPResponse {
            take((try? await request.body.collect(limit: 4_096)) ?? [])
        }
    }

    private static func run(_ body: @escaping @Sendable (Rig) async throws -> Void) async throws {
        try await onLoopWithDirectory { loop, path in
            let rig = try Rig(loop, path)
            do { try await body(rig) } catch {
                await rig.end()
                throw error
            }
            await rig.end()
        }
    }

    @Test func `an answer that was lost is asked for again with the same credential`() async throws {
        try await Self.run { rig in
            rig.answers = [503]
            await #expect(throws: WorkerError.self) { try await rig.enrol() }
            #expect(try Enrolment.load(rig.path) == nil)
            // What was sent is on the disk, for this user alone.
            #expect(try Files.status(rig.path + ".offered")?.mode == 0o600)
            let enrolled = try await rig.enrol()
            #expect(rig.credentials == [enrolled.secret, enrolled.secret])
            #expect(rig.asked.allSatisfy { $0["token"]?.string == "ere_one" })
            #expect(LinkProtocol.isCredential(enrolled.secret) && enrolled.worker == Self.worker)
            #expect(try Enrolment.load(rig.path) == enrolled)
            #expect(try Files.status(rig.path)?.mode == 0o600)
            #expect(!Files.exists(rig.path + ".offered"))
        }
    }

    @Test func `an answer that could not be kept is asked for again with the same credential`() async throws {
        try await Self.run { rig in
            try Files.createDirectory(rig.path)
            await #expect(throws: WorkerError.self) { try await rig.enrol() }
            try Files.removeTree(rig.path)
            let enrolled = try await rig.enrol()
            #expect(rig.credentials == [enrolled.secret, enrolled.secret])
            #expect(try Enrolment.load(rig.path) == enrolled)
        }
    }

    @Test func `another token gets another credential, and a refusal is told`() async throws {
        try await Self.run { rig in
            rig.answers = [503, 401]
            await #expect(throws: WorkerError.self) { try await rig.enrol("ere_one") }
            do {
                _ = try await rig.enrol("ere_two")
                Issue.record("it was not refused")
            } catch {
                guard case WorkerError.refused(let text) = error else { throw error }
                #expect(text.contains("401 (worker_refused)"))
            }
            #expect(Set(rig.credentials).count == 2)
            // A file that says nothing is no reason to stop.
            try Files.writeAtomically(rig.path + ".offered", Array("{".utf8))
            _ = try await rig.enrol("ere_two")
            #expect(Set(rig.credentials).count == 3)
        }
    }
}
