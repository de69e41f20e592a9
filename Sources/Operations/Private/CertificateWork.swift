import Glibc
import Platform

/// The runs of the `openssl` program that make certificates; loop-confined.
///
/// Files are made in a directory of their own and moved into place, the key before its certificate.
struct CertificateWork {
    let directory: String
    let names: [String]
    let owner: SystemUser?
    let loop: EventLoop

    var authorityKey: String { "\(directory)/ca-key.pem" }
    private var fresh: String { "\(directory)/new" }
    private var namesFile: String { "\(directory)/server.names" }

    /// Whether a certificate and its key are there and the certificate is good for that much longer.
    func isValid(_ certificate: String, seconds: Int, key: String) async -> Bool {
        let hasBoth = try? await BlockingPool.run { Files.exists(certificate) && Files.exists(key) }
        guard hasBoth == true else { return false }
        let arguments = ["x509", "-in", certificate, "-noout", "-checkend", "\(seconds)"]
        return (try? await openssl(arguments)) != nil
    }

    /// Whether the server's certificate is good, made for these names and by this authority.
    func isCurrent(_ files: TLSFiles, renewalSeconds: Int) async -> Bool {
        guard await isValid(files.certificateFile, seconds: renewalSeconds, key: files.keyFile) else { return false }
        let namesFile = self.namesFile
        let made = try? await BlockingPool.run {
            String(decoding: try Files.readAll(namesFile, limit: 65_536), as: UTF8.self)
        }
        guard made == names.joined(separator: "\n") else { return false }
        return (try? await openssl(["verify", "-CAfile", files.caFile, files.certificateFile])) != nil
    }

    func makeAuthority(days: Int) async throws {
        // The name differs between authorities, so that a client with several picks the right one.
        let number = String(UInt32.random(in: 0 ... .max), radix: 16)
        let settings = """
            [req]
            distinguished_name = name
            x509_extensions = authority
            prompt = no
            [name]
            CN = Errand authority \(number)
            [authority]
            basicConstraints = critical, CA:TRUE, pathlen:0
            keyUsage = critical, keyCertSign, cRLSign
            subjectKeyIdentifier = hash

            """
        try await begin(settings)
        try await openssl(
            ["req", "-new", "-x509", "-sha256", "-days", "\(days)", "-config", "\(fresh)/settings"]
                + newKey("\(fresh)/key.pem") + ["-out", "\(fresh)/certificate.pem"]
        )
        try await install(key: authorityKey, certificate: "\(directory)/ca.pem", keyOwner: nil)
    }

    func makeLeaf(days: Int) async throws {
        let settings = """
            [req]
            distinguished_name = name
            prompt = no
            [name]
            CN = localhost
            [server]
            basicConstraints = critical, CA:FALSE
            keyUsage = critical, digitalSignature
            extendedKeyUsage = serverAuth
            subjectKeyIdentifier = hash
            authorityKeyIdentifier = keyid
            subjectAltName = \(names.joined(separator: ", "))

            """
        try await begin(settings)
        try await openssl(
            ["req", "-new", "-sha256", "-config", "\(fresh)/settings"] + newKey("\(fresh)/key.pem")
                + ["-out", "\(fresh)/request.pem"]
        )
        // A positive random serial of 127 bits, as authorities owe.
        let serial =
            "0x" + String(UInt64.random(in: 1...(.max >> 1)), radix: 16)
            + String(UInt64.random(in: .min ... .max), radix: 16)
        try await openssl([
            "x509", "-req", "-sha256", "-in", "\(fresh)/request.pem", "-CA", "\(directory)/ca.pem", "-CAkey",
            authorityKey,
            "-set_serial", serial, "-days", "\(days)", "-extfile", "\(fresh)/settings", "-extensions", "server", "-out",
            "\(fresh)/certificate.pem",
        ])
        try await install(
            key: "\(directory)/server-key.pem",
            certificate: "\(directory)/server.pem",
            keyOwner: owner
        )
        let (namesFile, text) = (self.namesFile, names.joined(separator: "\n"))
        try await BlockingPool.run { try Files.writeAtomically(namesFile, Array(text.utf8), mode: 0o644) }
    }

    private func newKey(_ path: String) -> [String] {
        ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", path]
    }

    private func begin(_ settings: String) async throws {
        let fresh = self.fresh
        try await BlockingPool.run {
            try Files.removeTree(fresh)
            try Files.createDirectory(fresh, mode: 0o700)
            try Files.writeAtomically("\(fresh)/settings", Array(settings.utf8), mode: 0o600)
        }
    }

    private func install(key: String, certificate: String, keyOwner: SystemUser?) async throws {
        let fresh = self.fresh
        try await BlockingPool.run {
            try Files.setMode("\(fresh)/key.pem", 0o600)
            try Files.setMode("\(fresh)/certificate.pem", 0o644)
            if let keyOwner {
                try Files.setOwner("\(fresh)/key.pem", userID: keyOwner.userID, groupID: keyOwner.groupID)
            }
            try Files.rename("\(fresh)/key.pem", to: key)
            try Files.rename("\(fresh)/certificate.pem", to: certificate)
            try Files.removeTree(fresh)
        }
    }

    @discardableResult
    private func openssl(_ arguments: [String]) async throws -> String {
        guard let program = try await BlockingPool.run({ Program.find("openssl") }) else {
            throw ProgramError(program: "openssl", reason: "not found: install the package openssl")
        }
        // No configuration of the machine may change what is made.
        let spec = ProcessSpec(
            path: program,
            arguments: ["openssl"] + arguments,
            environment: ["OPENSSL_CONF": "/dev/null", "RANDFILE": "/dev/null"]
        )
        return try await Program.require(spec, on: loop)
    }
}
