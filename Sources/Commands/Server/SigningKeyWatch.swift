import Auth
import Operations
import Platform

/// Notices when the file of signing keys changes, and hands the new keys to every loop.
final class SigningKeyWatch {
    /// A removed key is refused this soon without a signal; the file is a kilobyte that the kernel has in memory.
    private static let interval = Duration.seconds(2)

    private let file: SigningKeyFile
    private let feed: KeyRingFeed
    private let makeKeys: (SigningKeySet) -> TokenKeys
    private let log: StructuredLog
    private let loop: EventLoop
    private let change = LoopCondition()
    private var isStopped = false
    private var last: [UInt8]
    /// Why the file could not be read when last looked at, which is told once.
    private var fault: String?

    /// Watches on `loop`; `text` is what the keys in use were read from.
    init(
        _ file: SigningKeyFile,
        text: [UInt8],
        feed: KeyRingFeed,
        log: StructuredLog,
        loop: EventLoop,
        makeKeys: @escaping (SigningKeySet) -> TokenKeys
    ) {
        self.file = file
        last = text
        self.feed = feed
        self.log = log
        self.loop = loop
        self.makeKeys = makeKeys
    }

    /// Watches until stopped.
    func run() async {
        while !isStopped {
            await look()
            _ = await change.wait(timeout: Self.interval, on: loop)
        }
    }

    /// Looks at once.
    func hurry() { change.signalAll() }

    /// Ends `run`.
    func stop() {
        isStopped = true
        change.signalAll()
    }

    /// Keys that cannot be read change nothing: those in use go on, and the log says why.
    func look() async {
        do {
            let text = try await BlockingPool.run { [file] in try file.bytes() }
            fault = nil
            guard text != last else { return }
            last = text
            let set = try SigningKeySet(document: text)
            feed.publish(makeKeys(set))
            log.info("signing keys reloaded", .integer("keys", set.keys.count), .text("newest", set.active.identifier))
        } catch {
            guard fault != "\(error)" else { return }
            fault = "\(error)"
            log.error("signing keys not reloaded", .text("error", "\(error)"))
        }
    }
}
