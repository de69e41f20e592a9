/// Why Redis did not do as asked.
package enum RedisError: Error, Sendable, Equatable, CustomStringConvertible {
    /// No connection stands; nothing was sent.
    case away
    /// The connection ended before the answer: the command may or may not have run.
    case lost
    /// More waits to be sent than is worth keeping; nothing was sent.
    case overloaded
    /// Redis answered with an error.
    case refused(String)
    /// The answer is not of the shape that the command gives, or not Redis at all.
    case unexpectedReply
    /// Redis is set up to drop keys when memory runs out, so hints and tails would vanish silently.
    case evicts(policy: String)

    package var description: String {
        switch self {
        case .away: "redis: not connected"
        case .lost: "redis: the connection ended before the answer"
        case .overloaded: "redis: too much waits to be sent"
        case .refused(let message): "redis: \(message)"
        case .unexpectedReply: "redis: unexpected reply"
        case .evicts(let policy): "redis: maxmemory-policy is \(policy), it must be noeviction"
        }
    }
}
