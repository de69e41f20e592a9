/// Finds where a member's value stands in the text of a JSON object, so that it can be used byte for byte.
enum JSONMemberRange {
    /// The value of the outermost object's member `name`; the text must have been read as valid JSON before.
    static func value(of name: String, in json: [UInt8]) -> Range<Int>? {
        let wanted = [UInt8(ascii: "\"")] + Array(name.utf8) + [UInt8(ascii: "\"")]
        var depth = 0
        var position = 0
        while position < json.count {
            switch json[position] {
            case UInt8(ascii: "\""):
                let end = endOfString(at: position, in: json)
                let next = skipSpace(from: end, in: json)
                if depth == 1, next < json.count, json[next] == UInt8(ascii: ":"), json[position..<end] == wanted[...] {
                    let start = skipSpace(from: next + 1, in: json)
                    return start < json.count ? start..<endOfValue(at: start, in: json) : nil
                }
                position = end
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                position += 1
            default: position += 1
            }
        }
        return nil
    }

    private static func endOfValue(at start: Int, in json: [UInt8]) -> Int {
        switch json[start] {
        case UInt8(ascii: "\""): return endOfString(at: start, in: json)
        case UInt8(ascii: "{"), UInt8(ascii: "["): return endOfBrackets(at: start, in: json)
        default:
            let ends = Array(",]} \t\r\n".utf8)
            return json[start...].firstIndex { ends.contains($0) } ?? json.count
        }
    }

    private static func endOfBrackets(at start: Int, in json: [UInt8]) -> Int {
        var depth = 0
        var position = start
        while position < json.count {
            switch json[position] {
            case UInt8(ascii: "\""):
                position = endOfString(at: position, in: json)
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            position += 1
            if depth == 0 { return position }
        }
        return position
    }

    private static func endOfString(at start: Int, in json: [UInt8]) -> Int {
        var position = start + 1
        while position < json.count, json[position] != UInt8(ascii: "\"") {
            position += json[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(position + 1, json.count)
    }

    private static func skipSpace(from start: Int, in json: [UInt8]) -> Int {
        var position = start
        while position < json.count, [0x20, 0x09, 0x0a, 0x0d].contains(json[position]) { position += 1 }
        return position
    }
}
