import Glibc
package import Platform

/// The files that a TLS server and its clients need.
package struct TLSFiles: Hashable, Sendable {
    /// The authority's certificate, for clients.
    package let caFile: String
    /// The server's certificate.
    package let certificateFile: String
    /// The server's key.
    package let keyFile: String

    /// Names the files.
    package init(caFile: String, certificateFile: String, keyFile: String) {
        self.caFile = caFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }
}

/// An authority of the installation's own and a certificate by it, made with the `openssl` program.
package enum SelfSignedAuthority {
    private static let authorityDays = 3650
    /// What clients still accept from a public authority.
    private static let leafDays = 397
    private static let renewalSeconds = 30 * 86_400

    /// Makes what is missing, expired within 30 days, or made for other names.
    package static func ensure(
        in data: DataDirectory,
        hostNames: [String] = [],
        on loop: EventLoop
    ) async throws -> TLSFiles {
        let files = TLSFiles(
            caFile: "\(data.tls)/ca.pem",
            certificateFile: "\(data.tls)/server.pem",
            keyFile: "\(data.tls)/server-key.pem"
        )
        let work = CertificateWork(
            directory: data.tls,
            names: subjectNames(hostNames),
            owner: data.accounts?.api,
            loop: loop
        )
        if await !work.isValid(files.caFile, seconds: renewalSeconds, key: work.authorityKey) {
            try await work.makeAuthority(days: authorityDays)
        }
        if await !work.isCurrent(files, renewalSeconds: renewalSeconds) {
            try await work.makeLeaf(days: leafDays)
        }
        return files
    }

    /// What clients may call this machine, in the form of the certificate's extension.
    private static func subjectNames(_ hostNames: [String]) -> [String] {
        var names = ["DNS:localhost", "IP:127.0.0.1", "IP:::1"]
        for host in ((try? Files.hostName()).map { [$0] } ?? []) + hostNames {
            let name: String
            if let address = SocketAddress(host: host, port: 0) {
                name = "IP:\(address.host)"
            } else if host.utf8.allSatisfy(isHostByte), !host.isEmpty {
                name = "DNS:\(host)"
            } else {
                continue  // a name that no certificate can carry, such as one with an underscore
            }
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
