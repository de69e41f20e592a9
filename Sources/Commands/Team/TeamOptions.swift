import Bytes

/// The options that the team's verbs share.
enum TeamOptions {
    static let team = Option("--team", "TEAM", "the team, by name or id; your only one unless given")
    static let json = Option("--json", "print the answer's document")
}

/// What the team's verbs print.
enum TeamOutput {
    /// Prints the id of a team that an answer holds, or the whole document.
    static func show(_ document: JSONValue, _ arguments: Arguments, _ terminal: Terminal) throws -> Int32 {
        guard let row = TeamRow(document) else {
            throw CommandFailure("the server's answer is no team", exitCode: ExitCode.unavailable)
        }
        if arguments.has(TeamOptions.json.name) {
            terminal.put(document.encoded() + [UInt8(ascii: "\n")])
        } else {
            terminal.print(VisibleText.line(row.id))
        }
        return ExitCode.done
    }

    /// Prints a document for a program, or a line for the person.
    static func tell(_ line: String, _ document: JSONValue, _ arguments: Arguments, _ terminal: Terminal) -> Int32 {
        if arguments.has(TeamOptions.json.name) {
            terminal.put(document.encoded() + [UInt8(ascii: "\n")])
        } else {
            terminal.note(line)
        }
        return ExitCode.done
    }
}
