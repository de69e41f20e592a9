import Core
import HTTP
package import Platform

/// `errand account passkey remove`: takes a passkey away.
package struct AccountPasskeyRemove: Verb {
    package static let words = ["account", "passkey", "remove"]
    package static let usage = "PASSKEY"
    package static let summary = "Take a passkey away; your other sign-ins end."

    private let passkey: PasskeyID

    package init(_ arguments: Arguments) throws(UsageError) {
        let word = try arguments.exactly("PASSKEY")[0]
        guard let passkey = PasskeyID(word) else {
            throw UsageError("\(word) is not a passkey's id (pky_…): see `errand account passkeys`")
        }
        self.passkey = passkey
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        _ = try await client.confirmed {
            try await client.session.call(.delete, "/v1/me/passkeys/\(passkey)", repeats: .never)
        }
        terminal.note("\(passkey) is taken away")
        return ExitCode.done
    }
}
