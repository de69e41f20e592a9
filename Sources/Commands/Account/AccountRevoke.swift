import Bytes
import Core
import HTTP
package import Platform

/// `errand account revoke`: signs a device out, or all others.
package struct AccountRevoke: Verb {
    package static let words = ["account", "revoke"]
    package static let usage = "DEVICE | --all"
    package static let summary = "Sign a device out, or all but this one; their tokens and streams end at once."
    package static let options = [Option("--all", "all devices but this one; `errand logout` ends this one")]

    private let device: SignInID?

    package init(_ arguments: Arguments) throws(UsageError) {
        guard !arguments.has("--all") else {
            _ = try arguments.exactly()
            device = nil
            return
        }
        let word = try arguments.exactly("DEVICE")[0]
        guard let device = SignInID(word) else {
            throw UsageError("\(word) is not a device's id (dev_…): see `errand account devices`")
        }
        self.device = device
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        if let device {
            _ = try await client.session.call(.delete, "/v1/me/devices/\(device)", repeats: .never)
            terminal.note("\(device) is signed out")
        } else {
            let answer = try await client.session.post("/v1/me/devices/revoke-all", repeats: .safe)
            terminal.note("\(answer["revoked"]?.integer ?? 0) other devices are signed out")
        }
        return ExitCode.done
    }
}
