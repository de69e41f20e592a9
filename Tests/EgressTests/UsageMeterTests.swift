import Testing

@testable import Egress

@Suite struct UsageMeterTests {
    private static let stream = """
        event: message_start
        data: {"type":"message_start","message":{"usage":{"input_tokens":100,"cache_read_input_tokens":7,"output_tokens":1}}}

        event: content_block_delta
        data: {"type":"content_block_delta","usage":{"output_tokens":999}}

        event: message_delta
        data: {"type":"message_delta","usage":{"output_tokens":20}}


        """

    @Test(arguments: [1, 5, 1_000])
    func `tokens of a stream are counted however it is cut`(size: Int) {
        var meter = UsageMeter(contentType: "text/event-stream; charset=utf-8")
        let bytes = [UInt8](Self.stream.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            meter.take([UInt8](bytes[start..<min(start + size, bytes.count)]))
        }
        meter.finish()
        #expect(meter.inputTokens == 107)
        #expect(meter.outputTokens == 20)
    }

    @Test func `tokens of a document are counted`() {
        var meter = UsageMeter(contentType: "application/json")
        meter.take([UInt8](#"{"content":[],"usage":{"input_"#.utf8))
        meter.take([UInt8](#"tokens":5,"output_tokens":6}}"#.utf8))
        meter.finish()
        #expect(meter.inputTokens == 5)
        #expect(meter.outputTokens == 6)
    }

    @Test(arguments: ["text/html", "application/json", "text/event-stream"])
    func `what cannot be read counts as nothing`(type: String) {
        var meter = UsageMeter(contentType: type)
        meter.take([UInt8]("<html>data: {\n\n".utf8))
        meter.finish()
        #expect(meter.inputTokens == 0)
        #expect(meter.outputTokens == 0)
    }
}
