import Glibc
import Platform

/// The environment variables that the client reads.
struct ClientEnvironment: Sendable {
    private static let names = [
        "ERRAND_URL", "ERRAND_CA", "ERRAND_TOKEN", "ERRAND_PROJECT", "ERRAND_CONFIG_HOME", "XDG_CONFIG_HOME", "HOME",
        "NO_COLOR", "TERM", "PATH",
    ]

    private let values: [String: String]

    /// An environment of these values; an empty value is as good as none.
    init(_ values: [String: String]) {
        self.values = values.filter { !$0.value.isEmpty }
    }

    /// What this process was started with.
    static func ofProcess() -> ClientEnvironment {
        let pairs = names.compactMap { name in unsafe getenv(name).map { (name, unsafe String(cString: $0)) } }
        return ClientEnvironment(Dictionary(pairs) { $1 })
    }

    /// Any variable of this process, by name.
    static func variable(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    subscript(name: String) -> String? { values[name] }

    /// The same environment, naming this server whatever it named before.
    func forServer(_ url: String, caFile: String?) -> ClientEnvironment {
        guard values["ERRAND_URL"] != url else { return self }
        return ClientEnvironment(values.merging(["ERRAND_URL": url, "ERRAND_CA": caFile ?? ""]) { $1 })
    }

    /// The directory of the client's own files.
    func configurationDirectory() throws(CommandFailure) -> String {
        if let own = values["ERRAND_CONFIG_HOME"] { return own }
        if let shared = values["XDG_CONFIG_HOME"], shared.hasPrefix("/") { return shared + "/errand" }
        guard let home = values["HOME"] else {
            throw CommandFailure("no place for credentials: set HOME or ERRAND_CONFIG_HOME", exitCode: ExitCode.usage)
        }
        return home + "/.config/errand"
    }

    /// What the two outputs are.
    func outputStyle() -> OutputStyle {
        let isNoteTerminal = isatty(STDERR_FILENO) == 1
        return OutputStyle(
            isResultTerminal: isatty(STDOUT_FILENO) == 1,
            isNoteTerminal: isNoteTerminal,
            usesColour: isNoteTerminal && values["NO_COLOR"] == nil && values["TERM"] != "dumb"
        )
    }

    /// The width of the terminal on standard output; nil when it is none.
    static func terminalWidth() -> Int? {
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}
