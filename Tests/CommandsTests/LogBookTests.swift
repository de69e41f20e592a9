import Bytes
import Core
import Crypto
import Testing

@testable import Commands

struct LogBookTests {
    private static func record(_ seq: UInt64, _ text: String) -> LogRecord {
        JobEventTests.record(seq, seq.isMultiple(of: 2) ? .stderr : .stdout, text)
    }

    private static func end(
        _ attempt: Int,
        _ texts: [String],
        records: UInt64? = nil,
        digest: [UInt8]? = nil
    ) throws -> JobEnd {
        let bytes = Array(texts.joined().utf8)
        let sha = Hex.encode(digest ?? Digest.sha256(bytes))
        let json =
            #"{"attempt":\#(attempt),"state":"succeeded","records":\#(records ?? UInt64(texts.count)),"#
            + #""bytes":\#(bytes.count),"sha256":"\#(sha)"}"#
        return try #require(JobEnd(try JSONReader.parse(Array(json.utf8))))
    }

    private static func book(_ attempt: Int, _ texts: [String]) -> LogBook {
        var book = LogBook()
        for (index, text) in texts.enumerated() {
            #expect(book.take(record(UInt64(index + 1), text), of: attempt) == .fresh)
        }
        return book
    }

    @Test func `a whole log is proven`() throws {
        let texts = ["one", "", "three"]
        #expect(Self.book(1, texts).proof(of: try Self.end(1, texts)) == .proven)
        #expect(LogBook().proof(of: try Self.end(1, [])) == .proven)
    }

    @Test func `a missing, a changed or a surplus record breaks the proof`() throws {
        let texts = ["one", "two"]
        let book = Self.book(1, texts)
        let faults = [
            try Self.end(1, texts + ["three"]), try Self.end(1, ["one", "tw0"]), try Self.end(1, ["onet", "wo!"]),
            try Self.end(1, ["one"]), try Self.end(2, texts),
        ]
        for end in faults {
            guard case .broken = book.proof(of: end) else {
                Issue.record("\(end) was taken for the end of \(texts)")
                continue
            }
        }
    }

    @Test func `a record that was held is not taken twice, and none after a hole`() {
        var book = Self.book(1, ["a", "b"])
        #expect(book.take(Self.record(2, "b"), of: 1) == .repeated)
        #expect(book.take(Self.record(4, "d"), of: 1) == .hole)
        #expect(book.take(Self.record(2, "x"), of: 2) == .hole)
        #expect(book.position == LogPosition(attempt: 1, seq: 2))
        #expect(book.take(Self.record(3, "c"), of: 1) == .fresh)
    }

    @Test func `a new attempt begins new books`() throws {
        var book = Self.book(1, ["lost", "work"])
        book.reset(to: 2, cut: LogPosition(attempt: 1, seq: 1))
        #expect(book.position == LogPosition(attempt: 2, seq: 0))
        #expect(book.take(Self.record(1, "again"), of: 2) == .fresh)
        #expect(book.proof(of: try Self.end(2, ["again"])) == .proven)
    }

    @Test func `what was not seen from its start cannot be proven, only refuted`() throws {
        var book = LogBook(after: LogPosition(attempt: 1, seq: 1))
        #expect(book.take(Self.record(2, "b"), of: 1) == .fresh)
        #expect(book.proof(of: try Self.end(1, ["a", "b"])) == .impossible)
        guard case .broken = book.proof(of: try Self.end(1, ["a", "b", "c"])) else {
            Issue.record("a missing last record went unnoticed")
            return
        }
    }

    @Test func `records gone from storage, or void, end the proof but not the reading`() throws {
        var gapped = Self.book(1, ["a"])
        gapped.gap(of: 1, last: 3)
        #expect(gapped.take(Self.record(4, "d"), of: 1) == .fresh)
        #expect(gapped.proof(of: try Self.end(1, ["a", "b", "c", "d"])) == .impossible)
        var voided = Self.book(1, ["a", "b"])
        voided.reset(to: 1, cut: LogPosition(attempt: 1, seq: 1))
        let unvouched = try #require(JobEnd(try JSONReader.parse(Array(#"{"attempt":1,"state":"failed"}"#.utf8))))
        #expect(voided.proof(of: unvouched) == .impossible)
        // A worker was lost, and what is stored of its log is vouched for: all that was seen beyond is void, not missing.
        #expect(voided.proof(of: try Self.end(1, ["a"])) == .impossible)
        #expect(voided.position == LogPosition(attempt: 1, seq: 1))
        #expect(voided.proof(of: try Self.end(1, ["a", "b"])) == .broken("1 records arrived of 2"))
    }
}
