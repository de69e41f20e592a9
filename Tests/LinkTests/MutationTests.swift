import Link
import Testing

/// A small generator whose runs repeat, so that a failure can be replayed.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// Flips, drops, doubles or inserts a few bytes.
private func mutate(_ bytes: [UInt8], with random: inout SplitMix) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
        let index = Int.random(in: bytes.indices, using: &random)
        switch random.next() % 4 {
        case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes.remove(at: index)
        case 2: bytes.insert(bytes[index], at: index)
        default: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: index)
        }
    }
    return bytes
}

/// Decodes `rounds` mutations of each frame; what still decodes must encode to the same meaning.
private func hammer<Message: Equatable>(
    _ frames: [[UInt8]],
    decode: ([UInt8]) throws -> Message,
    encode: (Message) -> [UInt8]
) {
    var random = SplitMix(state: 42)
    for frame in frames {
        for _ in 0..<2_000 {
            guard let message = try? decode(mutate(frame, with: &random)) else { continue }
            #expect((try? decode(encode(message))) == message)
        }
    }
}

@Suite struct MutationTests {
    @Test func `damaged control frames are refused or read whole, and never trap`() {
        hammer(
            Samples.workerControl.map { $0.encoded() },
            decode: { try WorkerControlMessage(decoding: $0) },
            encode: { $0.encoded() }
        )
        hammer(
            Samples.apiControl.map { $0.encoded() },
            decode: { try APIControlMessage(decoding: $0) },
            encode: { $0.encoded() }
        )
    }

    @Test func `damaged bulk frames are refused or read whole, and never trap`() {
        hammer(
            Samples.workerBulk.map { $0.encoded() },
            decode: { try WorkerBulkMessage(decoding: $0) },
            encode: { $0.encoded() }
        )
        hammer(
            Samples.apiBulk.map { $0.encoded() },
            decode: { try APIBulkMessage(decoding: $0) },
            encode: { $0.encoded() }
        )
    }
}
