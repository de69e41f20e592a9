import Testing

@testable import Agents

@Suite struct LineAssemblerTests {
    @Test(arguments: [1, 2, 3, 7, 100])
    func `lines come out whole however the bytes are cut`(size: Int) {
        let text = [UInt8]("one\n\ntwo and more\nlast".utf8)
        var assembler = LineAssembler(limit: 50)
        var lines: [LineAssembler.Line] = []
        for start in stride(from: 0, to: text.count, by: size) {
            lines += assembler.lines(in: [UInt8](text[start..<min(start + size, text.count)]))
        }
        #expect(lines == ["one", "", "two and more"].map { .whole([UInt8]($0.utf8)) })
        #expect(assembler.remainder() == .whole([UInt8]("last".utf8)))
        #expect(assembler.remainder() == nil)
    }

    @Test func `a line over the limit is dropped and the next one is read`() {
        var assembler = LineAssembler(limit: 4)
        #expect(assembler.lines(in: [UInt8]("abc".utf8)) == [])
        #expect(assembler.lines(in: [UInt8]("de".utf8)) == [])
        #expect(assembler.lines(in: [UInt8]("f\nabcd\n".utf8)) == [.tooLong, .whole([UInt8]("abcd".utf8))])
        #expect(assembler.lines(in: [UInt8]("abcde".utf8)) == [])
        #expect(assembler.remainder() == .tooLong)
    }
}
