/// One command in Redis' wire form.
struct RedisCommand: Sendable {
    private(set) var count = 0
    private(set) var body: [UInt8] = []

    init(_ words: String...) {
        for word in words { add(word) }
    }

    mutating func add(_ text: String) {
        open(text.utf8.count)
        body += text.utf8
        close()
    }

    mutating func add(_ bytes: [UInt8]) {
        open(bytes.count)
        body += bytes
        close()
    }

    mutating func add(_ number: some BinaryInteger) { add(String(number)) }

    /// Adds the words of another command behind those of this one.
    mutating func add(_ rest: RedisCommand) {
        count += rest.count
        body += rest.body
    }

    func append(to output: inout [UInt8]) {
        output += "*\(count)\r\n".utf8
        output += body
    }

    private mutating func open(_ length: Int) {
        count += 1
        body += "$\(length)\r\n".utf8
    }

    private mutating func close() {
        body.append(UInt8(ascii: "\r"))
        body.append(UInt8(ascii: "\n"))
    }
}
