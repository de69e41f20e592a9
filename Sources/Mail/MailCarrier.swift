package import Core
import Platform

/// Hands letters to the mail server, on threads of its own, a few at a time.
package final class MailCarrier: LetterCarrier {
    /// Conversations at once of one process: what a small server takes from one client.
    private static let threads = 4
    /// More do not wait here: those that are due wait in the database.
    private static let queue = 16

    private let task: MailConversation.Task
    private let pool: ThreadPool

    /// Sends as an address; `caFile` is whom the server's certificate is trusted by, unless the system's authorities are.
    package init(_ server: MailServer, sender: String, caFile: String?) {
        let domain = sender.split(separator: "@").last.map(String.init) ?? "localhost"
        task = MailConversation.Task(server: server, sender: sender, caFile: caFile, name: domain)
        pool = ThreadPool(name: "mail", threads: Self.threads, queueLimit: Self.queue)
    }

    package func carry(_ letter: OutgoingLetter) async -> Carriage {
        do {
            return try await pool.run { [task] in MailConversation.run(task, to: letter.recipient, letter.bytes) }
        } catch {
            return .failed("\(error)")
        }
    }
}
