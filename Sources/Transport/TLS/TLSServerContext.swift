import COpenSSL
import Platform

/// A server's certificate and key, shared by all loops; what loops share is a reference count and the ticket keys.
package final class TLSServerContext: Sendable {
    private let certificateChainFile: String
    private let privateKeyFile: String
    // The address of the SSL_CTX: a pointer is not Sendable, and OpenSSL counts its references itself.
    private let context: Lock<UInt>

    /// Loads a PEM chain and its key.
    package init(certificateChainFile: String, privateKeyFile: String) throws(TLSError) {
        self.certificateChainFile = certificateChainFile
        self.privateKeyFile = privateKeyFile
        context = Lock(try Self.load(certificateChainFile, privateKeyFile).release())
    }

    deinit { TLSContext.free(context.withLock { $0 }) }

    /// Loads the files again; new connections use them, tickets stay valid, and a failure changes nothing.
    package func reload() throws(TLSError) {
        let fresh = try Self.load(certificateChainFile, privateKeyFile).release()
        let old = context.withLock { current in
            Self.copyTicketKeys(from: current, to: fresh)
            defer { current = fresh }
            return current
        }
        TLSContext.free(old)
    }

    /// Makes the TLS state of one connection; the caller owns it.
    func makeConnection() -> OpaquePointer? {
        let bits = context.withLock { TLSContext.makeConnection($0) }
        return unsafe OpaquePointer(bitPattern: bits)
    }

    private static func load(_ chain: String, _ key: String) throws(TLSError) -> TLSContext {
        let context = try unsafe TLSContext(method: TLS_server_method())
        let pointer = unsafe context.pointer
        guard unsafe SSL_CTX_use_certificate_chain_file(pointer, chain) == 1 else {
            throw .fromQueue(stage: "load certificate chain \(chain)")
        }
        guard unsafe SSL_CTX_use_PrivateKey_file(pointer, key, SSL_FILETYPE_PEM) == 1 else {
            throw .fromQueue(stage: "load private key \(key)")
        }
        guard unsafe SSL_CTX_check_private_key(pointer) == 1 else {
            throw .fromQueue(stage: "match certificate and private key")
        }
        // TLS 1.2 with forward secrecy and AEAD only; TLS 1.3 has nothing else.
        guard unsafe SSL_CTX_set_cipher_list(pointer, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 else {
            throw .fromQueue(stage: "set ciphers")
        }
        // One ticket is enough to resume; the default of two costs a write more.
        unsafe SSL_CTX_set_num_tickets(pointer, 1)
        unsafe SSL_CTX_set_alpn_select_cb(pointer, selectProtocol, nil)
        return context
    }

    private static func copyTicketKeys(from old: UInt, to new: UInt) {
        let (old, new) = unsafe (OpaquePointer(bitPattern: old), OpaquePointer(bitPattern: new))
        let length = unsafe SSL_CTX_ctrl(old, SSL_CTRL_GET_TLSEXT_TICKET_KEYS, 0, nil)
        guard length > 0 else { return }
        var keys = [UInt8](repeating: 0, count: length)
        unsafe keys.withUnsafeMutableBytes { buffer in
            unsafe SSL_CTX_ctrl(old, SSL_CTRL_GET_TLSEXT_TICKET_KEYS, length, buffer.baseAddress)
            unsafe SSL_CTX_ctrl(new, SSL_CTRL_SET_TLSEXT_TICKET_KEYS, length, buffer.baseAddress)
            unsafe OPENSSL_cleanse(buffer.baseAddress, length)
        }
    }
}

/// Picks `http/1.1` from what the client offers by ALPN; a client that offers only others is refused, as RFC 7301 says.
private func selectProtocol(
    _ ssl: OpaquePointer?,
    _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenLength: UnsafeMutablePointer<UInt8>?,
    _ offered: UnsafePointer<UInt8>?,
    _ offeredLength: UInt32,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    let list = unsafe UnsafeBufferPointer(start: offered, count: Int(offeredLength))
    let wanted: StaticString = "http/1.1"
    var index = 0
    while index < list.count {
        let length = unsafe Int(list[index])
        let start = index + 1
        guard length > 0, start + length <= list.count else { break }
        let name = unsafe UnsafeBufferPointer(rebasing: list[start..<(start + length)])
        if unsafe name.elementsEqual(UnsafeBufferPointer(start: wanted.utf8Start, count: wanted.utf8CodeUnitCount)) {
            unsafe chosen?.pointee = name.baseAddress
            unsafe chosenLength?.pointee = UInt8(length)
            return SSL_TLSEXT_ERR_OK
        }
        index = start + length
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
