import Bytes
import Core

/// Takes a job's events and says what to show; it keeps the books, so that cuts neither lose nor repeat anything.
struct JobViewer {
    /// What a reader of the events wants to see.
    enum Form {
        case readable
        /// What the job wrote, without anything of Errand's.
        case raw
        /// The events as JSON, one a line.
        case events
    }

    /// What an event asks for.
    enum Step: Equatable {
        case goOn
        /// The stream has a hole: come again after the position held.
        case reconnect(String)
        case finished
    }

    /// What is known of the job, once its first event is there.
    private(set) var facts: JobFacts?
    private(set) var end: JobEnd?
    /// The exit code that the end means; `failed` when the log is not what the server says.
    private(set) var exitCode = ExitCode.done
    private var hasStarted = false

    private let job: JobID
    private let form: Form
    private let style: OutputStyle
    private var book: LogBook
    private var rendering: JobRendering?
    /// The last that was heard was Errand's own word on what happens, which needs no repeating at the end.
    private var wasExplained = false

    /// A viewer of `job` that goes on after a position.
    init(job: JobID, after position: LogPosition = .start, form: Form, style: OutputStyle) {
        self.job = job
        self.form = form
        self.style = style
        book = LogBook(after: position)
        if form == .events { rendering = .events }
    }

    /// Whether a person reads along, who wants to know that something is going on.
    var showsStatus: Bool { form == .readable }

    /// Whether a line about the present state would not stand in the middle of somebody's output.
    var isBetweenLines: Bool { !hasStarted || rendering?.isBetweenLines == true }

    /// Where to go on after a cut.
    var position: LogPosition { book.position }

    /// Takes one event; what to show is appended to `shown`.
    mutating func receive(_ text: [UInt8], into shown: inout [Rendered]) throws(JobEventError) -> Step {
        let event = try JobEvent(text)
        // An answer to this client, which is nobody else's business.
        if event == .authorised { return .goOn }
        if case .output(let record, let attempt) = event {
            switch book.take(record, of: attempt) {
            case .repeated: return .goOn
            case .hole: return .reconnect("record \(attempt).\(record.seq) came after \(book.position)")
            case .fresh: break
            }
            hasStarted = true
            // What Errand writes into a log that goes on afterwards explains no end.
            wasExplained = record.stream == .errand
            guard form == .events else {
                shown += rendering?.render(record) ?? []
                return .goOn
            }
        }
        if form == .events {
            shown.append(.result(text + [UInt8(ascii: "\n")]))
        }
        return take(event, into: &shown)
    }

    private mutating func take(_ event: JobEvent, into shown: inout [Rendered]) -> Step {
        switch event {
        case .state(let facts): take(facts, into: &shown)
        case .started: hasStarted = true
        case .reset(let attempt, let cut):
            book.reset(to: attempt, cut: cut)
            rendering?.restart()
            guard form != .events else { break }
            let next = attempt > cut.attempt ? "attempt \(attempt) begins" : "what followed does not count"
            note("attempt \(cut.attempt) was cut after record \(cut.seq); \(next)", into: &shown)
        case .gap(let attempt, let first, let last):
            book.gap(of: attempt, last: last)
            note("records \(attempt).\(first) to \(attempt).\(last) are not stored any more", into: &shown)
        case .failure(let code, let message):
            wasExplained = true
            if form != .events { note("\(message ?? "the job failed") (\(code))", into: &shown) }
        case .completed(let end):
            finish(end, into: &shown)
            return .finished
        case .output, .authorised, .unknown: break
        }
        return .goOn
    }

    private mutating func take(_ news: JobFacts, into shown: inout [Rendered]) {
        let before = facts
        facts = news
        if rendering == nil {
            rendering = form == .raw ? .raw(news.kind, style: style) : .readable(news.kind, style: style)
        }
        guard form == .readable else { return }
        if news.state == .blocked, before?.state != .blocked || before?.reasonText != news.reasonText {
            note("blocked: \(news.reasonText ?? "it waits for something else")", into: &shown)
        } else if news.isCancelRequested, before?.isCancelRequested == false, !news.state.isFinal {
            note("being cancelled", into: &shown)
        }
    }

    private mutating func finish(_ end: JobEnd, into shown: inout [Rendered]) {
        self.end = end
        exitCode = end.exitCode(of: facts?.kind ?? .claude)
        shown += rendering?.finish() ?? []
        if form == .readable, let summary = summary(of: end) { note(summary, into: &shown) }
        if case .broken(let reason) = book.proof(of: end) {
            exitCode = ExitCode.failed
            note("WARNING: the log is not what the server vouches for: \(reason)", into: &shown)
        }
    }

    /// How it ended, unless that is what everybody expects of a command.
    private func summary(of end: JobEnd) -> String? {
        let cost = end.costMicroUSD.flatMap { $0 > 0 ? $0 : nil }.map { ", \(HumanText.money(microUSD: $0))" } ?? ""
        switch end.state {
        case .succeeded: return facts?.kind == .command ? nil : "succeeded\(cost)"
        case .failed where facts?.kind == .command && end.exitCode != nil && end.endedByItself: return nil
        case .failed where end.signal != nil && end.endedByItself: return "ended by signal \(end.signal ?? 0)\(cost)"
        default:
            let reason = wasExplained ? "" : end.reasonText.map { ": \(VisibleText.line($0))" } ?? ""
            return "\(end.state.rawValue.replacingUnderscores)\(reason)\(cost)"
        }
    }

    private func note(_ text: String, into shown: inout [Rendered]) {
        shown.append(style.dimLine("errand: \(VisibleText.line(text))"))
    }
}

extension String {
    /// The word as people write it.
    fileprivate var replacingUnderscores: String { String(map { $0 == "_" ? " " : $0 }) }
}
