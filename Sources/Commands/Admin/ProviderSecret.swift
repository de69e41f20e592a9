import Bytes
import Core
package import Platform
import Store

/// `errand admin provider secret NAME`: another client secret, when the provider gave a new one.
package struct ProviderSecret: Verb {
    package static let words = ["admin", "provider", "secret"]
    package static let usage = "NAME [options]"
    package static let summary = "Put a provider's new client secret in the place of the present one."
    package static let options = [AdminProviders.secretFile, AdminOptions.data, AdminOptions.json]

    private let arguments: Arguments
    private let name: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        name = try AdminProviders.name(try arguments.exactly("NAME")[0])
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let secret = try await AdminProviders.secret(arguments.value(AdminProviders.secretFile.name))
        var writer = JSONWriter()
        try await AdminSession.run(arguments, on: loop) { store in
            let provider = try await AdminProviders.find(name, in: store)
            let audit = AuditDraft.administration(
                "provider.secret_changed",
                target: provider.id.description,
                details: [AuditDetail("name", name)]
            )
            try await AdminProviders.keep(secret, of: provider, arguments, in: store) {
                (sealed) async throws(StoreError) in
                // Somebody may have removed it just now.
                guard try await store.providers.setSecret(of: provider, sealed: sealed, audit: audit) else {
                    throw .notFound
                }
            }
            AdminProviders.write(provider, hasSecret: true, to: &writer)
        }
        if arguments.has("--json") {
            terminal.put(writer.bytes + [UInt8(ascii: "\n")])
        } else {
            terminal.note("\(name) has the new client secret")
        }
        return ExitCode.done
    }
}
