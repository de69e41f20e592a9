import COpenSSL
import Glibc
import Platform

/// A stream socket inside TLS; it frees OpenSSL's part as soon as it is closed.
@safe final class TLSStream: ByteStream, Wire {
    let source: Source
    let isSecure = true
    /// Set by the BIO: the kernel has nothing more until the next edge.
    var isDrained = false
    var mustWait = false

    private let isServer: Bool
    private var ssl: OpaquePointer?
    private(set) var readWantsWrite = false
    private var isEstablished = false
    private var isAwaitingWritable = false
    private let writableAgain = LoopCondition()

    /// Takes over a connected socket as server; `open` performs the handshake.
    init(
        server context: TLSServerContext,
        loop: EventLoop,
        descriptor: consuming OwnedDescriptor
    ) throws(TransportError) {
        isServer = true
        do {
            source = try Source(loop: loop, descriptor: descriptor)
        } catch {
            throw .platform(error)
        }
        unsafe ssl = context.makeConnection()
        try attach()
    }

    /// Takes over a connected socket as client of `host`; `open` performs the handshake.
    init(client context: TLSClientContext, host: String, socket: ByteSocket) throws(TransportError) {
        isServer = false
        source = socket.source
        do {
            unsafe ssl = try context.makeConnection(host: host)
        } catch {
            source.close()
            throw .tls(error)
        }
        try attach()
    }

    deinit {
        unsafe SSL_free(ssl)
    }

    private func attach() throws(TransportError) {
        guard unsafe ssl != nil, let bio = unsafe TLSTransportBIO.make(for: self) else {
            source.close()
            throw .tls(.fromQueue(stage: "create connection"))
        }
        unsafe SSL_set_bio(ssl, bio, bio)
    }

    func open() async throws(TransportError) {
        while let ssl = unsafe self.ssl {
            ERR_clear_error()
            let result = unsafe isServer ? SSL_accept(ssl) : SSL_connect(ssl)
            if result == 1 {
                isEstablished = true
                return
            }
            switch unsafe SSL_get_error(ssl, result) {
            case SSL_ERROR_WANT_READ: await source.readable()
            case SSL_ERROR_WANT_WRITE: await awaitWritable()
            default: throw failure(stage: "handshake")
            }
        }
        throw .closed
    }

    func read(into target: UnsafeMutableRawBufferPointer) -> WireRead {
        guard let ssl = unsafe self.ssl else { return .failed(.closed) }
        ERR_clear_error()
        readWantsWrite = false
        var count = 0
        let result = unsafe SSL_read_ex(ssl, target.baseAddress, target.count, &count)
        if result == 1 {
            mustWait = unsafe isDrained && SSL_has_pending(ssl) == 0
            return .bytes(count)
        }
        mustWait = true
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .blocked
        case SSL_ERROR_WANT_WRITE:
            readWantsWrite = true
            return .blocked
        case SSL_ERROR_ZERO_RETURN: return .end
        default: return .failed(failure(stage: "read"))
        }
    }

    func attemptWrite(_ bytes: [UInt8], from start: Int) -> WireWrite {
        guard let ssl = unsafe self.ssl else { return .failed(.closed) }
        ERR_clear_error()
        var count = 0
        let result = unsafe bytes.withUnsafeBytes { buffer in
            let part = unsafe UnsafeRawBufferPointer(rebasing: buffer[start...])
            return unsafe SSL_write_ex(ssl, part.baseAddress, part.count, &count)
        }
        if result == 1 { return .wrote(count) }
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_WRITE: return .blocked
        // Renegotiation is off, so a write never has to read first.
        default: return .failed(failure(stage: "write"))
        }
    }

    func awaitReadable() async {
        mustWait = false
        if readWantsWrite { await awaitWritable() } else { await source.readable() }
    }

    /// Waits for the socket to take bytes; a reader in need of a write and the writer may both wait.
    func awaitWritable() async {
        guard !isAwaitingWritable else { return await writableAgain.wait() }
        isAwaitingWritable = true
        await source.writable()
        isAwaitingWritable = false
        writableAgain.signalAll()
    }

    /// Sends the closing alert and ends our half of the stream.
    func shutdownWrite() {
        guard !source.isClosed, let ssl = unsafe self.ssl else { return }
        ERR_clear_error()
        if isEstablished { unsafe SSL_shutdown(ssl) }
        _ = shutdown(source.descriptor, Int32(SHUT_WR))
    }

    /// Sends the closing alert if the socket takes it, closes the socket and frees the TLS state.
    func close() {
        guard !source.isClosed else { return }
        ERR_clear_error()
        if isEstablished { unsafe SSL_shutdown(ssl) }
        source.close()
        unsafe SSL_free(ssl)
        unsafe ssl = nil
    }

    private func failure(stage: String) -> TransportError {
        let number = errno
        if source.isClosed { return .closed }
        let verification = unsafe SSL_get_verify_result(ssl)
        if !isServer, !isEstablished, verification != Int(X509_V_OK) {
            ERR_clear_error()
            let reason = unsafe String(cString: X509_verify_cert_error_string(verification))
            return .tls(TLSError(stage: stage, reason: "the server's certificate is refused: \(reason)"))
        }
        if ERR_peek_error() == 0 {
            // OpenSSL has nothing to say: the socket failed below it, or the peer cut the stream.
            let cut = number == 0 || number == EAGAIN
            return .platform(PlatformError(stage: "tls \(stage)", errno: cut ? ECONNRESET : number))
        }
        return .tls(.fromQueue(stage: stage))
    }
}
