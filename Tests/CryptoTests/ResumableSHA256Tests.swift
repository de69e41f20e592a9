import Crypto
import Testing

@Suite struct ResumableSHA256Tests {
    @Test(arguments: [0, 1, 55, 56, 63, 64, 65, 1_000])
    func `a saved state goes on where it stopped, at any length`(_ length: Int) throws {
        let text = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for cut in stride(from: 0, through: length, by: 13) {
            var first = ResumableSHA256()
            first.update(Array(text[..<cut]))
            var second = try #require(ResumableSHA256(state: first.state))
            second.update(Array(text[cut...]))
            #expect(second.finish() == Digest.sha256(text))
            #expect(second.finish() == Digest.sha256(text))
        }
    }

    @Test func `what cannot be a state is refused`() {
        let state = ResumableSHA256().state
        #expect(ResumableSHA256(state: state) != nil)
        #expect(ResumableSHA256(state: Array(state.dropLast())) == nil)
        #expect(ResumableSHA256(state: [UInt8](repeating: 0xff, count: state.count)) == nil)
        #expect(ResumableSHA256(state: []) == nil)
    }
}
