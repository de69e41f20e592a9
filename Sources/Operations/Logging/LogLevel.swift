/// How much a log line matters.
package enum LogLevel: String, CaseIterable, Comparable, Sendable {
    /// Of use while developing.
    case debug
    /// What happened, in the normal course.
    case info
    /// What somebody should look at some day.
    case warning
    /// What failed.
    case error

    private var rank: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }

    /// Orders levels by weight.
    package static func < (left: LogLevel, right: LogLevel) -> Bool {
        left.rank < right.rank
    }
}
