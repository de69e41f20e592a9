import COpenSSL

/// The one owner of an `SSL_CTX`.
@safe struct TLSContext: ~Copyable {
    let pointer: OpaquePointer

    // ssl.h's SSL_OP_NO_COMPRESSION and SSL_OP_NO_RENEGOTIATION, function-like macros that Swift does not import.
    private static let options: UInt64 = 1 << 17 | 1 << 30

    /// Sets what both roles have in common: TLS 1.2 as floor, no renegotiation, buffers released while idle.
    init(method: OpaquePointer?) throws(TLSError) {
        ERR_clear_error()
        guard let pointer = unsafe SSL_CTX_new(method) else { throw .fromQueue(stage: "create context") }
        unsafe self.pointer = pointer
        control(SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION))
        control(
            SSL_CTRL_MODE,
            Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS)
        )
        // One recv takes a whole record instead of its header first.
        control(SSL_CTRL_SET_READ_AHEAD, 1)
        // Sessions travel in tickets; a cache would only cost memory and a lock.
        control(SSL_CTRL_SET_SESS_CACHE_MODE, Int(SSL_SESS_CACHE_OFF))
        unsafe SSL_CTX_set_options(pointer, Self.options)
        // Without this an encrypted key would ask the terminal for its password.
        unsafe SSL_CTX_set_default_passwd_cb(pointer, refusePassword)
    }

    /// Sets one of the options that ssl.h offers by macro.
    func control(_ command: Int32, _ value: Int) {
        unsafe SSL_CTX_ctrl(pointer, command, value, nil)
    }

    deinit { unsafe SSL_CTX_free(pointer) }

    /// Gives the reference up as a number, which crosses threads; the taker frees it.
    consuming func release() -> UInt {
        let pointer = unsafe self.pointer
        discard self
        return UInt(bitPattern: pointer)
    }

    /// Makes the TLS state of one connection from a released context.
    static func makeConnection(_ bits: UInt) -> UInt {
        unsafe UInt(bitPattern: SSL_new(OpaquePointer(bitPattern: bits)))
    }

    /// Frees a released context.
    static func free(_ bits: UInt) {
        unsafe SSL_CTX_free(OpaquePointer(bitPattern: bits))
    }
}

private func refusePassword(
    _ buffer: UnsafeMutablePointer<CChar>?,
    _ size: Int32,
    _ isWriting: Int32,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    0
}
