package import Core

/// A message bus in memory: delivers at once, or when told; loses on demand.
package final class InMemoryBus: MessageBus {
    /// While true, messages wait for `deliver`.
    package var isHeld = false
    /// While true, messages vanish, as when nobody is connected.
    package var isAway = false

    private var subscriptions: [Subscription] = []
    private var held: [(channel: String, message: [UInt8])] = []

    private final class Subscription: BusSubscription {
        let channel: String
        var onMessage: (([UInt8]?) -> Void)?
        let end: (Subscription) -> Void

        init(_ channel: String, _ onMessage: @escaping ([UInt8]?) -> Void, _ end: @escaping (Subscription) -> Void) {
            self.channel = channel
            self.onMessage = onMessage
            self.end = end
        }

        func cancel() {
            onMessage = nil
            end(self)
        }
    }

    /// A bus that nobody listens to yet.
    package init() {}

    /// Subscriptions alive.
    package var subscriberCount: Int { subscriptions.count }
    /// Messages waiting for `deliver`.
    package var heldCount: Int { held.count }

    package func publish(_ channel: String, _ message: [UInt8]) {
        guard !isAway else { return }
        if isHeld { held.append((channel, message)) } else { send(channel, message) }
    }

    package func subscribe(_ channel: String, _ onMessage: @escaping ([UInt8]?) -> Void) -> any BusSubscription {
        let subscription = Subscription(channel, onMessage) { [weak self] ended in
            self?.subscriptions.removeAll { $0 === ended }
        }
        subscriptions.append(subscription)
        return subscription
    }

    /// Delivers up to `count` of the messages that wait.
    package func deliver(_ count: Int = .max) {
        let due = held.prefix(count)
        held.removeFirst(due.count)
        for (channel, message) in due { send(channel, message) }
    }

    /// Drops the messages that wait and tells every subscriber that messages may be missing.
    package func interrupt() {
        held = []
        for subscription in subscriptions { subscription.onMessage?(nil) }
    }

    private func send(_ channel: String, _ message: [UInt8]) {
        for subscription in subscriptions where subscription.channel == channel { subscription.onMessage?(message) }
    }
}
