/// Values laid out as libpq wants them: one buffer, pointers into it, lengths and formats.
struct PostgresParameters {
    private var buffer: [UInt8] = []
    private var spans: [(start: Int, length: Int)?] = []

    /// Encodes values.
    init(_ values: [PostgresValue]) {
        spans.reserveCapacity(values.count)
        for value in values {
            let start = buffer.count
            value.append(to: &buffer)
            spans.append(value.isNull ? nil : (start, buffer.count - start))
        }
        // An empty value still needs an address: null stands for SQL's null.
        buffer.append(0)
    }

    /// Lends the pointers for the time of a call; all values are binary.
    func withPointers<T>(
        _ body: (
            _ count: Int32, UnsafePointer<UnsafePointer<CChar>?>, _ lengths: UnsafePointer<Int32>,
            _ formats: UnsafePointer<Int32>
        ) -> T
    ) -> T {
        let lengths = spans.map { Int32($0?.length ?? 0) } + [0]
        let formats = [Int32](repeating: 1, count: spans.count + 1)
        return unsafe buffer.withUnsafeBytes { bytes in
            let base = unsafe bytes.assumingMemoryBound(to: CChar.self).baseAddress
            var pointers: [UnsafePointer<CChar>?] = unsafe spans.map { span in
                unsafe span.flatMap { span in unsafe base.map { unsafe $0 + span.start } }
            }
            unsafe pointers.append(nil)
            return unsafe body(Int32(spans.count), pointers, lengths, formats)
        }
    }
}
