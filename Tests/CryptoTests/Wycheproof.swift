import Bytes
import FoundationEssentials
import Testing

/// One test of a Wycheproof file together with its group.
struct WycheproofCase {
    let group: JSONValue
    let test: JSONValue

    var number: Int64 { test["tcId"]?.integer ?? -1 }
    var isValid: Bool { test["result"]?.string == "valid" }

    func bytes(_ name: String) throws -> [UInt8] {
        try #require(test[name]?.string.flatMap { Hex.decode($0) })
    }
}

/// The outside vectors, read from `ERRAND_VECTORS` or from beside the package.
enum Wycheproof {
    /// The cases of a file; an empty answer has been recorded as a warning.
    static func cases(_ file: String) throws -> [WycheproofCase] {
        let folder = ProcessInfo.processInfo.environment["ERRAND_VECTORS"] ?? "../shared/vectors"
        guard let data = FileManager.default.contents(atPath: "\(folder)/wycheproof/\(file)") else {
            Issue.record("vectors absent: \(file) is not under \(folder); set ERRAND_VECTORS", severity: .warning)
            return []
        }
        let document = try JSONReader.parse([UInt8](data), limits: JSONLimits(maximumBytes: 1 << 24))
        let cases = (document["testGroups"]?.array ?? []).flatMap { group in
            (group["tests"]?.array ?? []).map { WycheproofCase(group: group, test: $0) }
        }
        #expect(Int64(cases.count) == document["numberOfTests"]?.integer)
        #expect(cases.count > 0)
        return cases
    }
}
