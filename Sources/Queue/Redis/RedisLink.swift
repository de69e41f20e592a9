import Bytes
import Platform

/// One connection to Redis that comes back by itself: bytes out in few writes, replies in.
///
/// Commands given in one turn of the loop leave in one write. What is given while no connection stands is refused, never
/// kept: everything here is a hint that somebody else can restore.
final class RedisLink {
    var onOpen: () -> Void = {}
    var onReply: (RedisReply) -> Void = { _ in }
    var onClose: () -> Void = {}
    var onUnreachable: () -> Void = {}

    private(set) var isOpen = false
    /// Writes so far, over all connections.
    private(set) var writes = 0

    /// Soon enough that a restarted Redis is not missed, later ever less often.
    private static let firstDelay = Duration.milliseconds(50)
    private static let longestDelay = Duration.seconds(2)
    private static let connectTimeout = Duration.seconds(2)
    private static let readBytes = 64 << 10
    /// More unsent bytes than this mean that Redis does not keep up.
    private static let outputLimit = 16 << 20

    private let address: SocketAddress
    private let loop: EventLoop
    private let outputReady = LoopCondition()
    private let pause = LoopCondition()
    private let ended = LoopCondition()
    private var delay = RedisLink.firstDelay
    private var output: [UInt8] = []
    private var inFlight = 0
    private var socket: ByteSocket?
    private var isRunning = false
    private var isWriting = false
    private var isClosed = false

    init(address: SocketAddress, loop: EventLoop) {
        self.address = address
        self.loop = loop
    }

    func start() {
        isRunning = true
        loop.spawnLocal { await self.run() }
    }

    /// Puts a command into the next write; false when it was refused.
    func send(_ command: RedisCommand) -> Bool {
        guard isOpen, output.count + inFlight + command.body.count <= Self.outputLimit else { return false }
        let wasEmpty = output.isEmpty
        command.append(to: &output)
        if wasEmpty { outputReady.signalAll() }
        return true
    }

    /// Ends the present connection; another one follows.
    func reset() { socket?.close() }

    /// Says that the present connection is a good one, so that the next break is mended at once.
    func settle() { delay = Self.firstDelay }

    func close() async {
        isClosed = true
        socket?.close()
        pause.signalAll()
        while isRunning { await ended.wait() }
    }

    private func run() async {
        while !isClosed {
            if let socket = try? await ByteSocket.connect(to: address, on: loop, timeout: Self.connectTimeout) {
                if isClosed { socket.close() } else { await serve(socket) }
            } else {
                onUnreachable()
            }
            guard !isClosed else { break }
            _ = await pause.wait(timeout: delay * Double.random(in: 0.75...1.25), on: loop)
            delay = min(delay * 2, Self.longestDelay)
        }
        isRunning = false
        ended.signalAll()
    }

    private func serve(_ socket: ByteSocket) async {
        self.socket = socket
        output.removeAll(keepingCapacity: true)
        isOpen = true
        isWriting = true
        loop.spawnLocal { await self.write(to: socket) }
        onOpen()
        await read(from: socket)
        isOpen = false
        socket.close()
        self.socket = nil
        outputReady.signalAll()
        while isWriting { await ended.wait() }
        onClose()
    }

    private func read(from socket: ByteSocket) async {
        let parser = RedisReplyParser()
        while let bytes = try? await socket.read(max: Self.readBytes), !bytes.isEmpty {
            guard (try? parser.feed(bytes, onReply)) != nil else { return }
        }
    }

    private func write(to socket: ByteSocket) async {
        while isOpen {
            guard !output.isEmpty else {
                await outputReady.wait()
                continue
            }
            let bytes = output
            output = []
            inFlight = bytes.count
            writes += 1
            do {
                try await socket.write(bytes)
            } catch {
                // The reader notices the same break and ends the connection.
                socket.close()
                break
            }
            inFlight = 0
        }
        inFlight = 0
        isWriting = false
        ended.signalAll()
    }
}
