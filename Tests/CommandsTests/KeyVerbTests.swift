import Bytes
import Core
import Testing

@testable import Commands

struct KeyVerbTests {
    private static let key = APIKeyID(high: 1, low: 2).description

    private static func make<V: Verb>(_: V.Type, _ line: [String]) throws {
        _ = try V(Arguments(line, options: V.options))
    }

    @Test(arguments: [
        [], ["name"], ["--scope", "jobs:read"], ["name", "other", "--scope", "jobs:read"], ["name", "--scope", "all"],
        ["name", "--scope", "jobs:read", "--expires", "soon"], ["name", "--scope", "jobs:read", "--expires", "36h"],
        ["name", "--scope", "jobs:read", "--expires", "0"],
    ])
    func `a key that cannot be meant is refused before the server is asked`(line: [String]) throws {
        #expect(throws: UsageError.self) { try Self.make(KeyCreate.self, line) }
        try Self.make(KeyCreate.self, ["name", "--scope", "jobs:read", "--scope", "workspace", "--expires", "48h"])
    }

    @Test(arguments: [
        [], ["ci"], [KeyVerbTests.key, "--overlap", "long"], [KeyVerbTests.key, "--expires", "1"],
        [KeyVerbTests.key, KeyVerbTests.key],
    ])
    func `a rotation that cannot be meant is refused before the server is asked`(line: [String]) throws {
        #expect(throws: UsageError.self) { try Self.make(KeyRotate.self, line) }
        try Self.make(KeyRotate.self, [Self.key, "--overlap", "0", "--expires", "7d"])
        #expect(throws: UsageError.self) { try Self.make(KeyRevoke.self, ["ci"]) }
        #expect(throws: UsageError.self) { try Self.make(ServiceAccountDelete.self, [Self.key]) }
        #expect(throws: UsageError.self) { try Self.make(ServiceAccountCreate.self, ["deployer", "--role", "owner"]) }
        try Self.make(ServiceAccountCreate.self, ["deployer", "--role", "viewer"])
    }

    @Test func `two secrets cannot both come from standard input`() throws {
        let both = ["--current-file", "-", "--new-file", "-"]
        #expect(throws: UsageError.self) { try Self.make(AccountPassword.self, both) }
        #expect(throws: UsageError.self) { try Self.make(AccountReset.self, ["--link-file", "-", "--new-file", "-"]) }
        try Self.make(AccountPassword.self, Array(both.prefix(2)))
    }

    @Test func `a key's row says whether it is good, and shows no more of it than its beginning`() throws {
        let now = Timestamp(milliseconds: 1_790_000_000_000)
        func row(_ members: (String, JSONValue)...) -> String {
            let shared: [(String, JSONValue)] = [
                ("name", .string("ci\u{1b}[31m")), ("hint", .string("errand_Ab12")), ("id", .string(Self.key)),
                ("scopes", .array([.string("jobs:read"), .string("jobs:run")])), ("acts_for", .string("usr_1")),
            ]
            return KeyTable.layOut([.object(JSONObject(shared + members))], now: now).lines()[1]
        }
        let good = row()
        #expect(good.contains("errand_Ab12…") && good.contains("good") && good.contains("never"))
        #expect(good.hasSuffix("jobs:read jobs:run") && !good.unicodeScalars.contains("\u{1b}"))
        #expect(row(("has_expired", .bool(true))).contains("expired"))
        let end = JSONValue.string(now.adding(.seconds(7_200)).rfc3339)
        #expect(row(("expires_at", end)).contains("ends in 2 h"))
        #expect(row(("expires_at", end), ("replaced_by", .string(Self.key))).contains("replaced, ends in 2 h"))
        let used = JSONValue.string(now.adding(.seconds(-180)).rfc3339)
        #expect(row(("last_used_at", used)).contains("3 m ago"))
    }
}
