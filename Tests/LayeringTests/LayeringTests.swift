import FoundationEssentials
import Testing

struct LayeringTests {
    /// What comes with the toolchain; Foundation itself is not among them, on purpose.
    private static let toolchain: Set<String> = ["Glibc", "FoundationEssentials", "Synchronization", "Swift"]

    private static let rooms: [String] =
        (try? FileManager.default.contentsOfDirectory(atPath: SourceTree.root + "/Sources").sorted()) ?? []

    @Test func `the architecture page names every room and no other`() throws {
        let table = ImportTable(page: try SourceTree.text("docs/architecture.md"))
        #expect(Self.rooms.count > 20)
        #expect(Set(table.allowed.keys) == Set(Self.rooms))
    }

    @Test(arguments: rooms)
    func `a room imports only what its row names`(room: String) throws {
        let table = ImportTable(page: try SourceTree.text("docs/architecture.md"))
        let allowed = try #require(table.allowed[room]).union(Self.toolchain)
        for file in try SourceTree.files(below: "Sources/" + room) {
            for line in try SourceTree.text(file).split(separator: "\n") {
                guard let name = importedModule(line) else { continue }
                #expect(allowed.contains(name), "\(file) imports \(name)")
            }
        }
    }

    @Test(arguments: rooms)
    func `a package declaration has a summary`(room: String) throws {
        for file in try SourceTree.files(below: "Sources/" + room) {
            let lines = try SourceTree.text(file).split(separator: "\n", omittingEmptySubsequences: false)
            for (number, line) in lines.enumerated() where opensType(line) {
                var above = number - 1
                while above >= 0, lines[above].trimmed.hasPrefix("@") { above -= 1 }
                #expect(above >= 0 && lines[above].trimmed.hasPrefix("///"), "\(file):\(number + 1) has no summary")
            }
        }
    }

    @Test(arguments: rooms)
    func `a file stays below the ceiling`(room: String) throws {
        for file in try SourceTree.files(below: "Sources/" + room) {
            let count = try SourceTree.text(file).split(separator: "\n", omittingEmptySubsequences: false).count
            #expect(count <= 500, "\(file) has \(count) lines")
        }
    }

    @Test(arguments: rooms)
    func `no task leaves the loop`(room: String) throws {
        guard room != "Platform" else { return }
        let banned = ["Task {", "Task(", "Task.detached", "Task.sleep", "@unchecked Sendable"]
        for file in try SourceTree.files(below: "Sources/" + room) {
            for line in try SourceTree.text(file).split(separator: "\n") where !line.trimmed.hasPrefix("//") {
                for word in banned { #expect(!line.words(contain: word), "\(file): \(line.trimmed)") }
            }
        }
    }

    @Test(arguments: ["API", "Auth", "Crypto"])
    func `item 60: tokens, keys and codes come from the system's generator of secrets alone`(room: String) throws {
        let banned = [
            ".random(", ".randomElement(", ".shuffled(", ".shuffle(", "RandomNumberGenerator", "rand48", "getrandom",
        ]
        var count = 0
        for file in try SourceTree.files(below: "Sources/" + room) {
            for line in try SourceTree.text(file).split(separator: "\n") where !line.trimmed.hasPrefix("//") {
                for word in banned { #expect(!line.contains(word), "\(file): \(line.trimmed)") }
                if line.contains(room == "Crypto" ? "RAND_" : "SecureRandom.") { count += 1 }
            }
        }
        #expect(count > 0, "\(room) makes no secret any more")
    }

    @Test func `the table finds a forbidden import`() {
        let table = ImportTable(page: "x\n## Rooms\n| room | w | imports |\n|---|---|---|\n| `A` | w | `B` |\n## Next")
        #expect(table.allowed == ["A": ["B"]])
        #expect(importedModule("package import Store") == "Store")
        #expect(importedModule("let important = 1") == nil)
    }

    private func opensType(_ line: Substring) -> Bool {
        let declaration = line.trimmed
        return [
            "package struct ", "package enum ", "package final class ", "package class ", "package protocol ",
            "package actor ",
        ].contains { declaration.hasPrefix($0) }
    }
}

/// The module of an import line.
func importedModule(_ line: some StringProtocol) -> String? {
    var words = String(line).split(separator: " ").map { String($0) }
    while let first = words.first, first.hasPrefix("@") || ["package", "internal", "private"].contains(first) {
        words.removeFirst()
    }
    guard words.first == "import", words.count >= 2 else { return nil }
    let kinds = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
    let name = kinds.contains(words[1]) && words.count > 2 ? words[2] : words[1]
    return name.split(separator: ".").first.map { String($0) }
}

extension StringProtocol {
    var trimmed: Substring { Substring(self).drop { $0 == " " || $0 == "\t" } }

    /// Whether `word` stands in the line and is not the end of a longer name.
    func words(contain word: String) -> Bool {
        var rest = Substring(self)
        while let range = rest.firstRange(of: word) {
            let before = range.lowerBound > rest.startIndex ? rest[rest.index(before: range.lowerBound)] : " "
            if !before.isLetter && before != "." { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }
}
