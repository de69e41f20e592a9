/// The question before something that cannot simply be undone.
enum Confirmation {
    /// The option that answers it beforehand.
    static let option = Option("--yes", "do it without asking")

    /// Asks the person at the terminal; without one `--yes` is needed.
    static func demand(_ question: String, _ arguments: Arguments) async throws {
        if arguments.has(option.name) { return }
        guard let answer = try await PersonalInput.ask("\(question) [y/N] ", isSecret: false) else {
            throw CommandFailure("\(question) Say so with --yes.", exitCode: ExitCode.usage)
        }
        guard ["y", "yes"].contains(answer.lowercased()) else {
            throw CommandFailure("nothing was done", exitCode: ExitCode.interrupted)
        }
    }
}
