import Glibc
import SandboxSpec
import Testing

@Suite struct WireTests {
    private static let limits = PlanLimits(
        processes: 1,
        openFiles: 2,
        fileSize: 3,
        temporaryBytes: 4,
        homeBytes: 5,
        sharedMemoryBytes: .max,
        inodes: 7
    )
    private static let plan = SandboxPlan(
        id: "id",
        workspace: .project(name: "name", uidIndex: 9, readOnly: true),
        listenerPort: 8080,
        limits: limits,
        hostname: "host",
        fault: "filter"
    )
    private static let ephemeralPlan = SandboxPlan(
        id: "id",
        workspace: .ephemeral(sizeBytes: 1 << 40),
        listenerPort: nil,
        limits: limits,
        hostname: "host",
        fault: nil
    )
    private static let command = CommandPlan(
        arguments: ["sh", "-c", "echo ü"],
        environment: ["A=b", "EMPTY="],
        workingDirectory: "/workspace",
        takesInput: true
    )
    private static let facts = ConfinementFacts(
        mode: .rootless,
        uid: 1000,
        namespaces: ["pid:[1]"],
        noNewPrivileges: true,
        seccompMode: 2,
        capabilities: 0,
        mounts: ["/", "/proc"]
    )

    private static let requests: [ServerRequest] = [
        .prepareProject(request: 1, name: "name", uidIndex: .max), .removeProject(request: 2, name: "name"),
        .create(request: 3, plan: plan), .create(request: 4, plan: ephemeralPlan), .kill(id: "id"),
    ]
    private static let replies: [ServerReply] = [
        .ready(ServerGreeting(mode: .root, degraded: ["a", "b"], landlockABI: 7, kernel: "6.1", projectUIDs: 10)),
        .done(request: 1), .created(request: 2, uid: 3), .ended(id: "id"),
        .failed(request: 0, SetupFailure(.filter, EPERM, "detail")),
    ]
    private static let orders: [InitRequest] = [.run(command: 1, command), .signal(command: 2, number: 15)]
    private static let reports: [InitReply] = [
        .listener, .ready(facts), .failed(SetupFailure(.proc, EIO, "x")), .started(command: 1),
        .refused(command: 2, SetupFailure(step: "exec", errno: ENOENT, detail: "sh")),
        .ended(command: 3, signaled: true, status: 9),
    ]

    @Test func `every message survives its encoding`() throws {
        for message in Self.requests { #expect(try ServerRequest(decoding: message.encoded()) == message) }
        for message in Self.replies { #expect(try ServerReply(decoding: message.encoded()) == message) }
        for message in Self.orders { #expect(try InitRequest(decoding: message.encoded()) == message) }
        for message in Self.reports { #expect(try InitReply(decoding: message.encoded()) == message) }
    }

    @Test func `a message cut anywhere, or longer, is refused`() {
        for message in Self.requests.map({ $0.encoded() }) {
            for length in 0..<message.count {
                #expect(throws: WireError.self) { try ServerRequest(decoding: Array(message[..<length])) }
            }
            #expect(throws: WireError("trailing bytes")) { try ServerRequest(decoding: message + [0]) }
        }
        for message in Self.orders.map({ $0.encoded() }) {
            for length in 0..<message.count {
                #expect(throws: WireError.self) { try InitRequest(decoding: Array(message[..<length])) }
            }
        }
    }

    @Test func `any changed byte is read as a message or refused, never worse`() {
        for message in Self.requests.map({ $0.encoded() }) {
            for position in message.indices {
                for value in [0, 1, 0x7F, 0x80, 0xFF] as [UInt8] {
                    var changed = message
                    changed[position] = value
                    if let read = try? ServerRequest(decoding: changed) { #expect(read.encoded() == changed) }
                }
            }
        }
    }

    @Test func `another version, a zero byte and an endless list are refused`() {
        var other = ServerRequest.kill(id: "id").encoded()
        other[0] = 2
        #expect(throws: WireError("protocol version 2")) { try ServerRequest(decoding: other) }
        #expect(throws: WireError("zero byte in text")) {
            try ServerRequest(decoding: ServerRequest.kill(id: "i\u{0}d").encoded())
        }
        var endless = WireWriter(kind: 1)
        endless.integer(UInt32(1))
        endless.integer(UInt32.max)
        let bytes = endless.bytes
        #expect(throws: WireError("list too long")) { try InitRequest(decoding: bytes) }
    }
}
