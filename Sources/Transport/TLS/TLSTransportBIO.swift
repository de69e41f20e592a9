import COpenSSL
import Glibc
import Platform

/// The way between OpenSSL and the socket: it tells us when the kernel has nothing more, which saves a call.
enum TLSTransportBIO {
    // The method table lives as long as the process; its address is kept as a number because pointers are not Sendable.
    private static let method: UInt = {
        guard let method = unsafe BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "errand socket") else {
            return 0
        }
        unsafe BIO_meth_set_read(method, readFromSocket)
        unsafe BIO_meth_set_write(method, writeToSocket)
        unsafe BIO_meth_set_ctrl(method, controlSocket)
        return UInt(bitPattern: method)
    }()

    /// Makes the BIO of `stream`, which must outlive it.
    static func make(for stream: TLSStream) -> OpaquePointer? {
        guard let bio = unsafe BIO_new(OpaquePointer(bitPattern: method)) else { return nil }
        unsafe BIO_set_data(bio, Unmanaged.passUnretained(stream).toOpaque())
        unsafe BIO_set_init(bio, 1)
        return unsafe bio
    }
}

private func stream(of bio: OpaquePointer?) -> TLSStream? {
    guard let data = unsafe BIO_get_data(bio) else { return nil }
    return unsafe Unmanaged<TLSStream>.fromOpaque(data).takeUnretainedValue()
}

private func readFromSocket(_ bio: OpaquePointer?, _ target: UnsafeMutablePointer<CChar>?, _ length: Int32) -> Int32 {
    unsafe BIO_clear_flags(bio, retryFlags)
    guard let stream = unsafe stream(of: bio), !stream.source.isClosed else { return -1 }
    stream.source.clearReadLatch()
    let count = unsafe recv(stream.source.descriptor, target, Int(length), 0)
    let number = count < 0 ? errno : 0
    stream.isDrained = count < Int(length) && number != EINTR
    if number == EAGAIN || number == EINTR { unsafe BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY) }
    return Int32(truncatingIfNeeded: count)
}

private func writeToSocket(_ bio: OpaquePointer?, _ bytes: UnsafePointer<CChar>?, _ length: Int32) -> Int32 {
    unsafe BIO_clear_flags(bio, retryFlags)
    guard let stream = unsafe stream(of: bio), !stream.source.isClosed else { return -1 }
    stream.source.clearWriteLatch()
    let count = unsafe send(stream.source.descriptor, bytes, Int(length), Int32(MSG_NOSIGNAL))
    let number = count < 0 ? errno : 0
    if number == EAGAIN || number == EINTR { unsafe BIO_set_flags(bio, BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY) }
    return Int32(truncatingIfNeeded: count)
}

private func controlSocket(
    _ bio: OpaquePointer?,
    _ command: Int32,
    _ number: Int,
    _ pointer: UnsafeMutableRawPointer?
) -> Int {
    // Nothing is buffered here, so a flush succeeds; all else is not offered.
    command == BIO_CTRL_FLUSH ? 1 : 0
}

// BIO_clear_retry_flags is a macro.
private let retryFlags = BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_IO_SPECIAL | BIO_FLAGS_SHOULD_RETRY
