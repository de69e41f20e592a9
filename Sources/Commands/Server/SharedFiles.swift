import FoundationEssentials
import Platform

/// Where the files that come with the program are: migrations and the OpenAPI document.
enum SharedFiles {
    /// The migrations' directory.
    static var migrations: String { directory + "/migrations" }

    /// The OpenAPI document as JSON.
    static var openAPI: String { directory + (isSourceTree ? "/openapi/openapi.json" : "/openapi.json") }

    /// The program itself.
    static var executable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "errand"
    }

    /// The fork server that lies beside the program.
    static var sandbox: String { parent(of: executable) + "/errand-sandbox" }

    private static var found: (directory: String, isSourceTree: Bool) {
        if let directory = ProcessInfo.processInfo.environment["ERRAND_SHARE"] { return (directory, false) }
        let installed = parent(of: parent(of: executable)) + "/share/errand"
        if Files.exists(installed + "/openapi.json") { return (installed, false) }
        var ancestor = parent(of: executable)
        while ancestor.count > 1 {
            if Files.exists(ancestor + "/Package.swift"), Files.exists(ancestor + "/migrations") {
                return (ancestor, true)
            }
            ancestor = parent(of: ancestor)
        }
        return (installed, false)
    }

    private static var directory: String { found.directory }
    private static var isSourceTree: Bool { found.isSourceTree }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
