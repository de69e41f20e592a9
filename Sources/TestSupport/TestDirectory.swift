import Glibc
import Platform

/// Where tests keep what must be reachable for other accounts, as the data of an installation started by root is.
package enum TestDirectory {
    /// The directory of all: `ERRAND_TEST_DIR`, or one below /var/tmp.
    package static var parent: String {
        ProcessEnvironment.variables()["ERRAND_TEST_DIR"] ?? "/var/tmp/errand-test"
    }

    /// Makes a fresh directory that everybody may pass through.
    package static func make(_ name: String) throws -> String {
        try Files.createDirectory(parent, mode: 0o755)
        var template = Array("\(parent)/\(name).XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw PlatformError(stage: "mkdtemp(\(parent))", errno: errno) }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try Files.setMode(path, 0o755)
        return path
    }
}

/// The programs of this build, which lie beside the tests.
package enum BuiltPrograms {
    /// The `errand` program.
    package static var errand: String { directory + "/errand" }

    /// The agent's CLI: `ERRAND_AGENT_PATH`, or `claude` on the search path; nil when there is none.
    package static var agent: String? {
        let variables = ProcessEnvironment.variables()
        if let named = variables["ERRAND_AGENT_PATH"], !named.isEmpty { return named }
        let directories = (variables["PATH"] ?? "").split(separator: ":")
        return directories.map { "\($0)/claude" }.first { Files.isExecutable($0) }
    }

    private static var directory: String {
        let program = Files.linkTarget("/proc/self/exe") ?? ""
        return program.lastIndex(of: "/").map { String(program[..<$0]) } ?? "."
    }
}
