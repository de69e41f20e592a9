import FoundationEssentials
import Platform
import Transport

/// A certificate for `localhost` and 127.0.0.1, made once by the openssl program and trusted by its own clients only.
struct TestCertificate: Sendable {
    let chainFile: String
    let keyFile: String

    static let shared = Result { try TestCertificate(name: "localhost") }
    static let other = Result { try TestCertificate(name: "other.example") }

    init(name: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "errand-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        chainFile = folder.appending(path: "chain.pem").path()
        keyFile = folder.appending(path: "key.pem").path()
        let arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:\(name),IP:127.0.0.1",
            "-keyout", keyFile, "-out", chainFile,
        ]
        let status = try EventLoop.runMain { loop in
            try await ChildProcess.spawn(ProcessSpec(path: "/usr/bin/openssl", arguments: arguments), on: loop).wait()
        }
        guard status.isSuccess else { throw PlatformError(stage: "openssl req", errno: 0) }
    }

    func serverContext() throws -> TLSServerContext {
        try TLSServerContext(certificateChainFile: chainFile, privateKeyFile: keyFile)
    }

    func clientContext() throws -> TLSClientContext {
        try TLSClientContext(caFile: chainFile)
    }
}
