import Glibc
import Operations
import Platform
import Testing

@Suite(.timeLimit(.minutes(2)))
struct CertificateTests {
    @Test func `an authority and a certificate are made, verified, kept and renewed for new names`() async throws {
        let parent = try TemporaryDirectory("tls")
        try await onLoop { loop in
            let data = try await DataDirectory.open("\(parent.path)/data", on: loop)
            let files = try await SelfSignedAuthority.ensure(in: data, on: loop)
            let text = try await openssl(["x509", "-in", files.certificateFile, "-noout", "-text"], loop)
            for part in [
                "DNS:localhost", "IP Address:127.0.0.1", "IP Address:0:0:0:0:0:0:0:1", "prime256v1",
                "TLS Web Server Authentication", "CA:FALSE",
            ] {
                #expect(text.contains(part), "the certificate lacks \(part)")
            }
            _ = try await openssl(
                ["verify", "-CAfile", files.caFile, "-verify_hostname", "localhost", files.certificateFile],
                loop
            )
            let authority = try await openssl(["x509", "-in", files.caFile, "-noout", "-text"], loop)
            #expect(authority.contains("CA:TRUE, pathlen:0"))
            // Ten years less a day, and not eleven.
            _ = try await openssl(["x509", "-in", files.caFile, "-noout", "-checkend", "\(3649 * 86_400)"], loop)
            for key in [files.keyFile, "\(data.tls)/ca-key.pem"] { #expect(try Files.status(key)?.mode == 0o600) }

            let before = try Files.readAll(files.certificateFile, limit: 100_000)
            let authorityBefore = try Files.readAll(files.caFile, limit: 100_000)
            _ = try await SelfSignedAuthority.ensure(in: data, on: loop)
            #expect(try Files.readAll(files.certificateFile, limit: 100_000) == before)
            _ = try await SelfSignedAuthority.ensure(
                in: data,
                hostNames: ["errand.example", "192.0.2.7", "not a name"],
                on: loop
            )
            let renewed = try await openssl(["x509", "-in", files.certificateFile, "-noout", "-text"], loop)
            #expect(renewed.contains("DNS:errand.example") && renewed.contains("IP Address:192.0.2.7"))
            #expect(try Files.readAll(files.caFile, limit: 100_000) == authorityBefore)
        }
    }

    @Test func `a certificate by another authority, or one that ends soon, is replaced`() async throws {
        let parent = try TemporaryDirectory("renew")
        try await onLoop { loop in
            let data = try await DataDirectory.open("\(parent.path)/data", on: loop)
            let files = try await SelfSignedAuthority.ensure(in: data, on: loop)
            let first = try Files.readAll(files.certificateFile, limit: 100_000)
            try Files.remove(files.caFile)
            _ = try await SelfSignedAuthority.ensure(in: data, on: loop)
            let second = try Files.readAll(files.certificateFile, limit: 100_000)
            #expect(second != first)
            _ = try await openssl(["verify", "-CAfile", files.caFile, files.certificateFile], loop)
            // One that the same authority signed for 29 days.
            let request = "\(data.tls)/request.pem"
            _ = try await openssl(
                ["x509", "-x509toreq", "-in", files.certificateFile, "-signkey", files.keyFile, "-out", request],
                loop
            )
            _ = try await openssl(
                [
                    "x509", "-req", "-in", request, "-CA", files.caFile, "-CAkey", "\(data.tls)/ca-key.pem", "-days",
                    "29", "-set_serial", "7", "-out", "\(data.tls)/short.pem",
                ],
                loop
            )
            try Files.rename("\(data.tls)/short.pem", to: files.certificateFile)
            let short = try Files.readAll(files.certificateFile, limit: 100_000)
            _ = try await SelfSignedAuthority.ensure(in: data, on: loop)
            #expect(try Files.readAll(files.certificateFile, limit: 100_000) != short)
            _ = try await openssl(
                ["x509", "-in", files.certificateFile, "-noout", "-checkend", "\(396 * 86_400)"],
                loop
            )
        }
    }

    @Test func `the doctor looks at everything and says what to do`() async throws {
        try await onLoop { loop in
            let configuration = try Configuration.load(environment: ["ERRAND_DATA": "/tmp/none/such"])
            let findings = await Doctor.examine(configuration, on: loop)
            let names = findings.map(\.name)
            for name in [
                "user namespaces", "cgroups", "Landlock", "seccomp", "core dumps", "PostgreSQL", "Redis", "openssl",
                "disk space", "clock", "open files", "Claude Code",
            ] {
                #expect(names.contains(name), "the doctor leaves out \(name)")
            }
            #expect(findings.allSatisfy { ($0.verdict == .fine) == $0.fix.isEmpty })
            #expect(Doctor.render(findings).split(separator: "\n").count >= findings.count)
            let missing = try Configuration.load(environment: ["ERRAND_AGENT_PATH": "/no/such"])
            let agent = await Doctor.examine(missing, on: loop).first { $0.name == "Claude Code" }
            #expect(agent?.verdict == .failure)
        }
    }
}

private func openssl(_ arguments: [String], _ loop: EventLoop) async throws -> String {
    let program = try #require(Program.find("openssl"))
    return try await Program.require(ProcessSpec(path: program, arguments: ["openssl"] + arguments), on: loop)
}
