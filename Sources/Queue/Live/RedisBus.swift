package import Core
import Platform

/// The bus over Redis' publish and subscribe, one connection for all subscriptions of a loop.
///
/// A subscriber hears nil whenever messages may have passed it by: when the connection is lost, and when Redis has
/// confirmed the subscription, also the first time, since what was published before that is not heard.
package final class RedisBus: MessageBus {
    /// Redis sends nothing by itself, so a dead peer is found by asking.
    private static let pingInterval = Duration.seconds(5)
    private static let channelsPerCommand = 1_000

    private let publisher: RedisConnection
    private let link: RedisLink
    private let loop: EventLoop
    private let credentials: RedisCredentials?
    private var channels: [String: [Subscription]] = [:]
    private var isAwaitingPong = false
    private var pinger: LoopTimer?

    private final class Subscription: BusSubscription {
        let channel: String
        weak var bus: RedisBus?
        private(set) var onMessage: (([UInt8]?) -> Void)?

        init(_ channel: String, _ bus: RedisBus, _ onMessage: @escaping ([UInt8]?) -> Void) {
            self.channel = channel
            self.bus = bus
            self.onMessage = onMessage
        }

        func cancel() {
            guard onMessage != nil else { return }
            onMessage = nil
            bus?.remove(self)
        }
    }

    init(configuration: QueueConfiguration, publisher: RedisConnection, loop: EventLoop) {
        self.publisher = publisher
        self.loop = loop
        credentials = configuration.credentials
        link = RedisLink(address: configuration.address, loop: loop)
        link.onOpen = { [weak self] in self?.open() }
        link.onReply = { [weak self] in self?.receive($0) }
        link.onClose = { [weak self] in self?.interrupt() }
    }

    func start() {
        link.start()
        ping()
    }

    func close() async {
        pinger?.cancel()
        pinger = nil
        await link.close()
    }

    package func publish(_ channel: String, _ message: [UInt8]) {
        var command = RedisCommand("PUBLISH", channel)
        command.add(message)
        publisher.post(command)
    }

    package func subscribe(_ channel: String, _ onMessage: @escaping ([UInt8]?) -> Void) -> any BusSubscription {
        let subscription = Subscription(channel, self, onMessage)
        let isFirst = channels[channel] == nil
        channels[channel, default: []].append(subscription)
        if isFirst, link.isOpen { require(link.send(RedisCommand("SUBSCRIBE", channel))) }
        return subscription
    }

    private func remove(_ subscription: Subscription) {
        channels[subscription.channel]?.removeAll { $0 === subscription }
        guard channels[subscription.channel]?.isEmpty == true else { return }
        channels[subscription.channel] = nil
        if link.isOpen { require(link.send(RedisCommand("UNSUBSCRIBE", subscription.channel))) }
    }

    /// A command that the open link refuses would leave the two sides apart: begin anew.
    private func require(_ wasSent: Bool) {
        if !wasSent { link.reset() }
    }

    private func open() {
        isAwaitingPong = false
        if let command = credentials?.command { require(link.send(command)) }
        let names = Array(channels.keys)
        for start in stride(from: 0, to: names.count, by: Self.channelsPerCommand) {
            var command = RedisCommand("SUBSCRIBE")
            for name in names[start..<min(start + Self.channelsPerCommand, names.count)] { command.add(name) }
            require(link.send(command))
        }
        require(link.send(RedisCommand("PING")))
    }

    private func receive(_ reply: RedisReply) {
        isAwaitingPong = false
        switch reply {
        case .error: link.reset()
        case .array(let parts):
            guard parts.count >= 2, let kind = parts[0].text else { return }
            if kind == "pong" { return link.settle() }
            guard parts.count == 3, let channel = parts[1].text else { return }
            if kind == "message" {
                deliver(parts[2].bytes ?? [], to: channel)
            } else if kind == "subscribe" {
                deliver(nil, to: channel)
            }
        default: link.settle()
        }
    }

    private func deliver(_ message: [UInt8]?, to channel: String) {
        for subscription in channels[channel, default: []] { subscription.onMessage?(message) }
    }

    private func interrupt() {
        for subscription in channels.values.joined() { subscription.onMessage?(nil) }
    }

    private func ping() {
        pinger = loop.schedule(after: Self.pingInterval) { [weak self] in
            guard let self else { return }
            if link.isOpen {
                if isAwaitingPong { link.reset() } else { isAwaitingPong = link.send(RedisCommand("PING")) }
            }
            ping()
        }
    }
}
