import Bytes
import Platform
import TestSupport
import Testing

extension EndToEnd.Unharmed {
    @Test func `a second factor is set up, asked for and reset by the command line`() async throws {
        let errand = try SharedInstallation.get()
        let home = try TestDirectory.make("factor")
        defer { try? Files.removeTree(home) }
        let email = "factor@example.org"
        let made = try await errand.errand(["admin", "user", "create", email, "--json", "--data", errand.data])
        let password = try #require(try JSONReader.parse(Array(made.output.utf8))["password"]?.string)
        try Files.writeAtomically("\(home)/password", Array(password.utf8), mode: 0o600)
        let ready = try await errand.ready()
        let environment = ["ERRAND_CONFIG_HOME": "\(home)/config"]
        let login = [
            "login", "--url", try #require(ready["url"]?.string), "--ca", try #require(ready["ca_file"]?.string),
            "--email", email, "--password-file", "\(home)/password",
        ]
        func run(_ arguments: [String]) async throws -> ProgramOutcome {
            try await errand.errand(arguments, environment)
        }
        #expect(try await run(login).status.isSuccess)

        let begun = try await run(["account", "totp", "enable", "--json"])
        let document = try JSONReader.parse(Array(begun.output.utf8))
        let secret = try #require(document["secret"]?.string.flatMap { Base32.decode($0) })
        let wrong = try await run(["account", "totp", "enable", "--otp", "12345"])
        #expect(!wrong.status.isSuccess && wrong.errors.contains("wrong_code"))
        // Each code is taken for a step more than this test takes.
        let step = WallClock.now().milliseconds / 30_000
        let enabled = try await run(["account", "totp", "enable", "--otp", OneTimeCode.of(secret, step: step)])
        #expect(enabled.status.isSuccess, "\(enabled.errors)")
        let recovery = enabled.output.split(separator: "\n").map(String.init)
        #expect(recovery.count == 10)

        let bare = try await run(login + ["--otp", OneTimeCode.of(secret, step: step)])
        #expect(bare.status == .exited(4) && bare.errors.contains("wrong_code"))
        // The secret is wrapped anew with all others, and the server that was not told opens it.
        let rotated = try await errand.errand(["admin", "key", "rotate-master", "--data", errand.data])
        #expect(rotated.status.isSuccess, "\(rotated.errors)")
        #expect(try await run(login + ["--otp", OneTimeCode.of(secret, step: step + 1)]).status.isSuccess)
        #expect(try await run(login + ["--otp", recovery[0].uppercased()]).status.isSuccess)
        let used = try await run(login + ["--otp", recovery[0]])
        #expect(used.status == .exited(4) && used.errors.contains("wrong_recovery_code"))
        let replaced = try await run(["account", "recovery-codes", "--json"])
        let codes = try JSONReader.parse(Array(replaced.output.utf8))["recovery_codes"]?.array
        #expect(codes?.count == 10)
        #expect(try await run(login + ["--otp", recovery[1]]).errors.contains("wrong_recovery_code"))
        let me = try await run(["whoami"])
        #expect(me.output.contains("second factor: authenticator codes; 10 recovery codes left"), "\(me.output)")
        let team = "factor crew"
        #expect(try await run(["team", "create", team]).status.isSuccess)
        let demanded = try await run(["team", "second-factor", team, "required", "--json"])
        let policy = try JSONReader.parse(Array(demanded.output.utf8))["require_second_factor"]
        #expect(policy?.bool == true, "\(demanded.errors)")
        #expect(try await run(["team", "second-factor", team, "sometimes"]).status == .exited(2))
        let passkeys = try await run(["account", "passkeys", "--json"])
        #expect(passkeys.output.hasPrefix("[]"), "\(passkeys.errors)")
        let gone = try await run(["account", "passkey", "remove", "pky_00000000000000000000000000"])
        #expect(gone.status == .exited(3) && gone.errors.contains("passkey_not_found"))
        #expect(try await run(["account", "totp", "disable"]).status.isSuccess)
        let held = try await run(["team", "show", team])
        #expect(held.status == .exited(4) && held.errors.contains("second_factor_needed"))
        #expect(try await run(["team", "leave", team, "--yes"]).errors.contains("last_owner"))
        #expect(try await run(login).status.isSuccess)

        let again = try await run(["account", "totp", "enable", "--json"])
        let other = try JSONReader.parse(Array(again.output.utf8))["secret"]?.string.flatMap { Base32.decode($0) }
        let now = WallClock.now().milliseconds / 30_000
        let confirm = ["account", "totp", "enable", "--otp", OneTimeCode.of(try #require(other), step: now)]
        #expect(try await run(confirm).status.isSuccess)
        let reset = ["admin", "user", "reset-factor", email, "--data", errand.data]
        #expect(try await errand.errand(reset).status.isSuccess)
        let twice = try await errand.errand(reset)
        #expect(twice.status == .exited(3) && twice.errors.contains("no second factor"))
        #expect(try await run(login).status.isSuccess)
    }
}
