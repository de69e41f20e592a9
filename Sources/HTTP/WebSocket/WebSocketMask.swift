/// The masking of RFC 6455, eight bytes at a time.
enum WebSocketMask {
    /// Applies `mask`, whose lowest byte comes first, to the bytes from `start` on.
    ///
    /// `offset` says how many bytes of the frame lie before `start`, modulo 4.
    static func apply(_ mask: UInt32, offset: Int, to bytes: inout [UInt8], from start: Int) {
        let turn = UInt32(truncatingIfNeeded: offset & 3) * 8
        let turned = turn == 0 ? mask : mask >> turn | mask << (32 - turn)
        let wide = UInt64(turned) | UInt64(turned) << 32
        unsafe bytes.withUnsafeMutableBytes { storage in
            var index = start
            while index + 8 <= storage.count {
                let word = unsafe storage.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                unsafe storage.storeBytes(of: word ^ wide.littleEndian, toByteOffset: index, as: UInt64.self)
                index += 8
            }
            while index < storage.count {
                let shift = UInt64(truncatingIfNeeded: (index - start) & 3) * 8
                unsafe storage[index] ^= UInt8(truncatingIfNeeded: wide >> shift)
                index += 1
            }
        }
    }
}
