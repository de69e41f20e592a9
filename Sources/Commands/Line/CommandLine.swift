import Glibc
import Platform

/// Finds the verb that a command line calls, and runs it.
package struct ErrandCommand {
    private let verbs: [any Verb.Type]
    private let terminal = Terminal()

    /// A command with these verbs.
    package init(_ verbs: [any Verb.Type]) {
        self.verbs = verbs
    }

    /// Runs a command line (without the program's name) and answers with the exit code.
    package func run(_ line: [String]) -> Int32 {
        guard let first = line.first, first != "help", first != "--help", first != "-h" else {
            terminal.print(overview(of: line.count > 1 ? Array(line.dropFirst()) : []))
            return line.isEmpty ? ExitCode.usage : ExitCode.done
        }
        if first == "--version" || first == "version" {
            terminal.print("errand \(ErrandVersion.current)")
            return ExitCode.done
        }
        let candidates = verbs.filter { line.starts(with: $0.words) }
        guard let verb = candidates.max(by: { $0.words.count < $1.words.count }) else {
            terminal.note("errand: unknown command: \(line.prefix(3).joined(separator: " "))\n")
            terminal.note(overview(of: [first]))
            return ExitCode.usage
        }
        return run(verb, Array(line.dropFirst(verb.words.count)))
    }

    private func run(_ verb: any Verb.Type, _ line: [String]) -> Int32 {
        let beforeRest = line.prefix { $0 != "--" }
        if beforeRest.first == "--help" || beforeRest.first == "-h" {
            terminal.print(verb.help)
            return ExitCode.done
        }
        let command: any Verb
        do throws(UsageError) {
            command = try verb.init(Arguments(line, options: verb.options, takesRest: verb.takesRest))
        } catch {
            let words = verb.words.joined(separator: " ")
            terminal.note("errand \(words): \(error)\nusage: errand \(words) \(verb.usage)")
            return ExitCode.usage
        }
        SignalStream.block(verb.signals)
        do {
            return try EventLoop.runMain { [terminal] loop in try await command.run(on: loop, terminal) }
        } catch let failure as CommandFailure {
            terminal.note("errand: \(failure)")
            return failure.exitCode
        } catch {
            terminal.note("errand: \(error)")
            return ExitCode.failed
        }
    }

    private func overview(of words: [String]) -> String {
        let chosen = verbs.filter { $0.words.starts(with: words) }
        var text = "usage: errand COMMAND …\n\n"
        for verb in chosen.isEmpty ? verbs : chosen {
            let name = verb.words.joined(separator: " ")
            text += "  " + name + String(repeating: " ", count: max(1, 24 - name.count)) + verb.summary + "\n"
        }
        return text + "\n`errand COMMAND --help` tells more."
    }
}

/// The version of this build.
package enum ErrandVersion {
    package static let current = "0.1.0"
}
