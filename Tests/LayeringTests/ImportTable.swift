import FoundationEssentials
import Testing

/// The table of rooms in the architecture page: each room with the rooms that it may import.
struct ImportTable {
    let allowed: [String: Set<String>]

    /// Reads the rows between the heading "Rooms" and the next one.
    init(page: String) {
        var allowed: [String: Set<String>] = [:]
        let section = page.components(separatedBy: "\n## Rooms\n").dropFirst().first ?? ""
        for line in (section.components(separatedBy: "\n## ").first ?? "").split(separator: "\n") {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
            guard cells.count == 5, let room = ImportTable.names(in: cells[1]).first else { continue }
            allowed[room] = Set(ImportTable.names(in: cells[3]))
        }
        self.allowed = allowed
    }

    private static func names(in cell: Substring) -> [String] {
        cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }
            .map { String($0.element) }
    }
}

/// The Swift sources of the package, found from this file's own place.
enum SourceTree {
    static let root = #filePath.components(separatedBy: "/Tests/").dropLast().joined(separator: "/Tests/")

    static func text(_ path: String) throws -> String {
        try String(contentsOfFile: root + "/" + path, encoding: .utf8)
    }

    /// The Swift files below a folder, relative to the root.
    static func files(below folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: root + "/" + folder)
            .filter { $0.hasSuffix(".swift") }
            .map { folder + "/" + $0 }
            .sorted()
    }
}
