import Glibc

/// One thing that a hostile program tries, what it must meet inside, and what shows outside that the attempt is real.
struct Attempt: Sendable {
    /// What an attempt came to.
    enum Result: Equatable, Sendable, CustomStringConvertible {
        case ok(Int)
        case errno(Int32)
        case signal(Int32)
        case other(String)

        init(_ line: Substring) {
            let words = line.split(separator: " ")
            switch words.count == 3 ? (words[1], Int(words[2])) : ("", nil) {
            case ("ok", .some(let value)): self = .ok(value)
            case ("errno", .some(let value)): self = .errno(Int32(value))
            case ("signal", .some(let value)): self = .signal(Int32(value))
            default: self = .other(String(line))
            }
        }

        var description: String {
            switch self {
            case .ok(let value): "ok \(value)"
            case .errno(let number): "errno \(number)"
            case .signal(let number): "signal \(number)"
            case .other(let text): text
            }
        }
    }

    /// The positive control.
    enum Control: Sendable {
        /// The same attempt, by root outside, gives one of these.
        case outside([Result])
        /// This attempt, inside, succeeds by the same way.
        case twin(String)
    }

    var name: String
    var inside: [Result]
    var control: Control

    init(_ name: String, _ inside: Result..., control: Control) {
        self.name = name
        self.inside = inside
        self.control = control
    }
}

extension Attempt.Control {
    /// Root outside simply succeeds.
    static let works = Attempt.Control.outside([.ok(0)])

    /// Root outside gets past the filter and is refused for its bad arguments, or the kernel has no such call.
    static let badArguments = Attempt.Control.outside(
        [EFAULT, EINVAL, EBADF, E2BIG, ENOENT, ENOSYS, ENOEXEC].map { .errno($0) }
    )
}

/// Attempts that are made in one sandbox.
struct AttemptGroup: Sendable, CustomStringConvertible {
    var description: String
    var attempts: [Attempt]
}
