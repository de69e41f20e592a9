import Bytes
import Core
package import Platform
import Store

/// `errand admin mail test ADDRESS`: whether a letter goes out.
package struct MailTest: Verb {
    package static let words = ["admin", "mail", "test"]
    package static let usage = "ADDRESS [options]"
    package static let summary = "Have the running server send a test mail, and print what the mail server said."
    package static let options = [AdminOptions.data, AdminOptions.json]
    /// A letter is sent within a second, and given a minute to be taken.
    private static let patience = 60

    private let arguments: Arguments
    private let address: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        let word = try arguments.exactly("ADDRESS")[0]
        guard let address = EmailAddress.canonical(word) else { throw UsageError("\(word) is not a mail address") }
        self.address = address
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let now = WallClock.now()
        let id = LetterID(at: now)
        let letter = try await AdminSession.open(arguments, on: loop) { session in
            let outbox = session.store.outbox
            guard session.isServed, try await outbox.putTest(id, .mail, to: address, now: now) else {
                throw CommandFailure(
                    "no server sends mail here: set ERRAND_SMTP_URL and ERRAND_MAIL_FROM where it starts",
                    exitCode: ExitCode.unavailable
                )
            }
            for _ in 0..<Self.patience {
                await loop.sleep(.seconds(1))
                // One that was tried and will be tried again has said what is wrong.
                if let letter = try await outbox.letter(id), letter.state != .waiting || letter.lastError != nil {
                    return letter
                }
            }
            throw CommandFailure("no server took the mail up within a minute", exitCode: ExitCode.unavailable)
        }
        if arguments.has("--json") {
            var writer = JSONWriter()
            LetterRendering.write(letter, to: &writer)
            terminal.put(writer.bytes + [UInt8(ascii: "\n")])
        } else {
            terminal.print(VisibleText.line(LetterRendering.line(letter)))
        }
        return letter.state == .sent ? ExitCode.done : ExitCode.failed
    }
}
