import HTTP
import Testing

@testable import API

struct ByteRangeTests {
    @Test(arguments: [
        ("bytes=0-0", 0, 1), ("bytes=0-99", 0, 10), ("bytes=3-", 3, 10), ("bytes=-4", 6, 10), ("bytes=-40", 0, 10),
        ("bytes=9-9", 9, 10),
    ])
    func `a satisfiable range is partial`(field: String, start: UInt64, end: UInt64) throws {
        #expect(try ByteRange.parse(field, length: 10) == ByteRange(start: start, end: end, isPartial: true))
    }

    @Test(arguments: [
        nil, "", "lines=0-1", "bytes=", "bytes=-", "bytes=5-3", "bytes=0-1,3-4", "bytes=+1-2", "bytes=0x1-2",
        "bytes= 0-1",
        "bytes=99999999999999999999-",
    ])
    func `what is no single range means the whole`(field: String?) throws {
        #expect(try ByteRange.parse(field, length: 10) == ByteRange(start: 0, end: 10, isPartial: false))
    }

    @Test(arguments: ["bytes=10-", "bytes=10-20", "bytes=-0"])
    func `a range outside is a 416`(field: String) {
        let error = #expect(throws: ProblemError.self) { try ByteRange.parse(field, length: 10) }
        #expect(error?.problem.status == 416)
    }

    @Test func `nothing lies in an empty output`() {
        #expect(throws: ProblemError.self) { try ByteRange.parse("bytes=0-", length: 0) }
        #expect(throws: ProblemError.self) { try ByteRange.parse("bytes=-1", length: 0) }
    }
}
