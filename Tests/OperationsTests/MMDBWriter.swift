/// Writes small files in MaxMind's format, as its specification (version 2.0) describes it: a binary tree over the bits of
/// addresses with records of 24 bits, data, and metadata behind a marker.
struct MMDBWriter {
    indirect enum Value {
        case text(String)
        case double(Double)
        case number(UInt64, type: UInt8)
        case map([(String, Value)])
        case array([Value])
    }

    private enum Record { case nothing, node(Int), data(Int) }

    private var nodes: [(Record, Record)] = [(.nothing, .nothing)]
    private var data: [UInt8] = []

    /// Says what belongs to a network: the first `length` bits of a 16-byte address.
    mutating func add(_ address: [UInt8], _ length: Int, _ value: Value) {
        let offset = data.count
        data += Self.encode(value)
        var at = 0
        for bit in 0..<length {
            let isOne = address[bit / 8] >> UInt8(7 - bit % 8) & 1 == 1
            if bit == length - 1 {
                set(at, isOne, .data(offset))
            } else if case .node(let next) = isOne ? nodes[at].1 : nodes[at].0 {
                at = next
            } else {
                nodes.append((.nothing, .nothing))
                set(at, isOne, .node(nodes.count - 1))
                at = nodes.count - 1
            }
        }
    }

    /// The file, of this type.
    func file(type: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for node in nodes {
            for record in [node.0, node.1] {
                let value =
                    switch record {
                    case .nothing: nodes.count
                    case .node(let index): index
                    case .data(let offset): nodes.count + 16 + offset
                    }
                bytes += [UInt8(value >> 16 & 0xff), UInt8(value >> 8 & 0xff), UInt8(value & 0xff)]
            }
        }
        bytes += [UInt8](repeating: 0, count: 16) + data
        bytes += [0xab, 0xcd, 0xef] + Array("MaxMind.com".utf8)
        return bytes
            + Self.encode(
                .map([
                    ("binary_format_major_version", .number(2, type: 5)),
                    ("binary_format_minor_version", .number(0, type: 5)),
                    ("build_epoch", .number(1_790_000_000, type: 9)), ("database_type", .text(type)),
                    ("description", .map([("en", .text("made for a test"))])), ("ip_version", .number(6, type: 5)),
                    ("languages", .array([.text("en")])), ("node_count", .number(UInt64(nodes.count), type: 6)),
                    ("record_size", .number(24, type: 5)),
                ])
            )
    }

    private mutating func set(_ node: Int, _ isOne: Bool, _ record: Record) {
        if isOne { nodes[node].1 = record } else { nodes[node].0 = record }
    }

    private static func encode(_ value: Value) -> [UInt8] {
        switch value {
        case .text(let text): return head(2, text.utf8.count) + Array(text.utf8)
        case .double(let number):
            return head(3, 8) + (0..<8).map { UInt8(number.bitPattern >> UInt64(56 - 8 * $0) & 0xff) }
        case .number(let number, let type):
            let bytes = (0..<8).map { UInt8(number >> UInt64(56 - 8 * $0) & 0xff) }.drop { $0 == 0 }
            return head(type, bytes.count) + bytes
        case .map(let members):
            return head(7, members.count) + members.flatMap { encode(.text($0.0)) + encode($0.1) }
        case .array(let items): return head(11, items.count) + items.flatMap(encode)
        }
    }

    /// The control byte of a value shorter than 29, with the second one of the types that came later.
    private static func head(_ type: UInt8, _ size: Int) -> [UInt8] {
        precondition(size < 29, "too long for a test")
        return type < 8 ? [type << 5 | UInt8(size)] : [UInt8(size), type - 7]
    }
}
