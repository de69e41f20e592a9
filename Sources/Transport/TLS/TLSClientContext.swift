import COpenSSL
import Glibc
import Platform

/// Whom a client trusts; servers are always verified, by chain and by name.
package final class TLSClientContext: Sendable {
    private let context: Lock<UInt>

    /// Trusts the authorities in a PEM file, or the system's when there is none.
    package init(caFile: String?) throws(TLSError) {
        let fresh = try unsafe TLSContext(method: TLS_client_method())
        let pointer = unsafe fresh.pointer
        if let caFile {
            guard unsafe SSL_CTX_load_verify_locations(pointer, caFile, nil) == 1 else {
                throw .fromQueue(stage: "load certificate authorities \(caFile)")
            }
        } else {
            guard unsafe SSL_CTX_set_default_verify_paths(pointer) == 1 else {
                throw .fromQueue(stage: "load the system's certificate authorities")
            }
        }
        unsafe SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
        let protocols: [UInt8] = [8] + "http/1.1".utf8
        guard unsafe SSL_CTX_set_alpn_protos(pointer, protocols, UInt32(protocols.count)) == 0 else {
            throw .fromQueue(stage: "offer protocols")
        }
        context = Lock(fresh.release())
    }

    deinit { TLSContext.free(context.withLock { $0 }) }

    /// Makes the TLS state of one connection to `host`, a name or a numeric address; the caller owns it.
    func makeConnection(host: String) throws(TLSError) -> OpaquePointer {
        let bits = context.withLock { TLSContext.makeConnection($0) }
        guard let ssl = unsafe OpaquePointer(bitPattern: bits) else { throw .fromQueue(stage: "create connection") }
        guard unsafe name(host, on: ssl) else {
            unsafe SSL_free(ssl)
            throw .fromQueue(stage: "set the expected name \(host)")
        }
        return unsafe ssl
    }

    private func name(_ host: String, on ssl: OpaquePointer) -> Bool {
        guard SocketAddress(host: host, port: 0) == nil else {
            // A numeric address is checked against the certificate's addresses and never sent as a name.
            return unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1
        }
        let isSent = unsafe host.withCString { text in
            let argument = unsafe UnsafeMutableRawPointer(mutating: text)
            return unsafe SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), argument) == 1
        }
        unsafe SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        return unsafe isSent && SSL_set1_host(ssl, host) == 1
    }
}
