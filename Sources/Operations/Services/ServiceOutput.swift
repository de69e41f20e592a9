import Platform

/// Turns what a service prints into log lines.
struct ServiceOutput {
    /// A longer line is cut into several.
    private static let lineLimit = 8 * 1024

    let service: String
    let log: StructuredLog

    func follow(_ stream: ByteSocket, on loop: EventLoop) {
        loop.spawnLocal { await read(stream) }
    }

    private func read(_ stream: ByteSocket) async {
        var rest: [UInt8] = []
        while let bytes = try? await stream.read(max: 16 * 1024), !bytes.isEmpty {
            rest += bytes
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                note(rest[..<end])
                rest.removeFirst(end + 1)
            }
            while rest.count >= Self.lineLimit {
                note(rest[..<Self.lineLimit])
                rest.removeFirst(Self.lineLimit)
            }
        }
        note(rest[...])
        stream.close()
    }

    private func note(_ line: ArraySlice<UInt8>) {
        guard !line.isEmpty else { return }
        log.info("service output", .text("service", service), .text("line", String(decoding: line, as: UTF8.self)))
    }
}
