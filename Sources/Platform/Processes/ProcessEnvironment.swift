import CLinux

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

    /// The processors that this process may run on, at least 1.
    package static var processorCount: Int { Int(clinux_processor_count()) }
}
