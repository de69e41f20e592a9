import CLinux
import Glibc

/// What the system gave this process.
package enum ProcessEnvironment {
    /// The environment variables.
    package static func variables() -> [String: String] {
        var variables: [String: String] = [:]
        guard var entry = unsafe clinux_environment() else { return variables }
        while let text = unsafe entry.pointee {
            let pair = unsafe String(cString: text)
            if let equals = pair.firstIndex(of: "=") {
                variables[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
            }
            unsafe entry += 1
        }
        return variables
    }

    /// Overwrites the values of variables where the kernel shows them; they read as empty from then on.
    ///
    /// `unsetenv` would only forget the entry and leave its text in /proc/PID/environ.
    package static func blank(_ names: Set<String>) {
        guard var entry = unsafe clinux_environment() else { return }
        while let text = unsafe entry.pointee {
            let pair = unsafe String(cString: text)
            if let equals = pair.utf8.firstIndex(of: UInt8(ascii: "=")), names.contains(String(pair[..<equals])) {
                let start = pair.utf8.distance(from: pair.utf8.startIndex, to: equals) + 1
                unsafe memset(text + start, 0, strlen(text) - start)
            }
            unsafe entry += 1
        }
    }

    /// The processors that this process may run on, at least 1.
    package static var processorCount: Int { Int(clinux_processor_count()) }
}
