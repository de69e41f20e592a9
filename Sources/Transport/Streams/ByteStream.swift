/// A stream of bytes in both directions, plain or inside TLS; loop-confined, one reader and one writer at a time.
package protocol ByteStream: AnyObject {
    /// Reads what is there, at least one byte and at most `max`; empty at the end of the stream.
    func read(max: Int) async throws(TransportError) -> [UInt8]

    /// Writes all the bytes; suspends while the peer is slow.
    func write(_ bytes: [UInt8]) async throws(TransportError)

    /// Tells the peer that nothing more comes.
    func shutdownWrite()

    /// Closes at once and resumes whoever waits; may be called twice.
    func close()
}
