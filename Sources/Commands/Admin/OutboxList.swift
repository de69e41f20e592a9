import Bytes
import Core
package import Platform
import Store

/// `errand admin outbox list`: the letters that wait, and what became of the others.
package struct OutboxList: Verb {
    package static let words = ["admin", "outbox", "list"]
    package static let usage = "[options]"
    package static let summary = "List what is sent by mail and webhook: what waits, the receipts, and why some failed."
    package static let options = [
        Option("--state", "STATE", "only those that are waiting, sent or failed"),
        Option("--limit", "N", "the newest N (default: 50)"),
        AdminOptions.data, AdminOptions.json,
    ]

    private let arguments: Arguments
    private let state: LetterState?
    private let limit: Int

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        _ = try arguments.exactly()
        limit = try arguments.integer("--limit", in: 1...10_000) ?? 50
        if let word = arguments.value("--state") {
            guard let state = LetterState(rawValue: word) else {
                throw UsageError("\(word) is none of waiting, sent, failed")
            }
            self.state = state
        } else {
            state = nil
        }
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let letters = try await AdminSession.run(arguments, on: loop) {
            try await $0.outbox.letters(state, limit: limit)
        }
        if arguments.has("--json") {
            var writer = JSONWriter()
            writer.beginArray()
            for letter in letters { LetterRendering.write(letter, to: &writer) }
            writer.endArray()
            terminal.put(writer.bytes + [UInt8(ascii: "\n")])
            return ExitCode.done
        }
        for letter in letters {
            terminal.print(VisibleText.line("\(letter.createdAt.rfc3339)  \(LetterRendering.line(letter))"))
        }
        return ExitCode.done
    }
}

/// Letters as people and programs read them.
enum LetterRendering {
    static func line(_ letter: Letter) -> String {
        let tried = letter.attempts == 1 ? "once" : "\(letter.attempts) times"
        let said =
            switch letter.state {
            case .sent: letter.receipt ?? ""
            case .failed: letter.lastError ?? ""
            case .waiting: letter.lastError.map { "\($0); next at \(letter.nextAt.rfc3339)" } ?? ""
            }
        return "\(letter.channel.rawValue)  \(letter.kind.rawValue)  \(letter.recipient)  \(letter.state.rawValue), "
            + "tried \(tried)\(said.isEmpty ? "" : ": \(said)")"
    }

    static func write(_ letter: Letter, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", letter.id.description)
        writer.member("channel", letter.channel.rawValue)
        writer.member("kind", letter.kind.rawValue)
        writer.member("recipient", letter.recipient)
        writer.member("state", letter.state.rawValue)
        writer.member("attempts", letter.attempts)
        writer.member("created_at", letter.createdAt)
        writer.member("next_at", letter.state == .waiting ? letter.nextAt : nil)
        writer.member("done_at", letter.doneAt)
        writer.member("receipt", letter.receipt)
        writer.member("last_error", letter.lastError)
        writer.endObject()
    }
}
