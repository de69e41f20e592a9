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

    @Test func `a line over the limit comes out in pieces and the next one is read`() {
        var assembler = LineAssembler(limit: 4)
        func lines(_ text: String) -> [LineAssembler.Line] { assembler.lines(in: [UInt8](text.utf8)) }
        func piece(_ text: String, isFirst: Bool = false) -> LineAssembler.Line {
            .piece([UInt8](text.utf8), isFirst: isFirst)
        }
        #expect(lines("abc") == [])
        #expect(lines("de") == [piece("abcde", isFirst: true)])
        #expect(lines("fgh") == [piece("fgh")])
        #expect(lines("i\nabcd\n") == [piece("i\n"), .whole([UInt8]("abcd".utf8))])
        #expect(lines("abcde\n\n") == [piece("abcde\n", isFirst: true), .whole([])])
        #expect(lines("abcde") == [piece("abcde", isFirst: true)])
        #expect(assembler.remainder() == nil)
        #expect(lines("abcd\n") == [.whole([UInt8]("abcd".utf8))])
    }

    @Test(arguments: [1, 2, 3, 7, 100])
    func `no byte of a long line is lost however the bytes are cut`(size: Int) {
        let text = [UInt8]("short\na line that is longer than the limit\nend\nanother one that is too long".utf8)
        var assembler = LineAssembler(limit: 9)
        var lines: [LineAssembler.Line] = []
        for start in stride(from: 0, to: text.count, by: size) {
            lines += assembler.lines(in: [UInt8](text[start..<min(start + size, text.count)]))
        }
        let all = (lines + [assembler.remainder()].compactMap(\.self)).flatMap { line -> [UInt8] in
            switch line {
            case .whole(let bytes): bytes + [0x0a]
            case .piece(let bytes, _): bytes
            }
        }
        #expect(all == text)
        #expect(lines.count { if case .piece(_, isFirst: true) = $0 { true } else { false } } == 2)
    }
}
