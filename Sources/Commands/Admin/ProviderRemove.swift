import Bytes
import Core
package import Platform
import Store

/// `errand admin provider remove NAME`: nobody signs in by the provider any more.
package struct ProviderRemove: Verb {
    package static let words = ["admin", "provider", "remove"]
    package static let usage = "NAME [options]"
    package static let summary = "Remove a provider: nobody signs in by it any more; accounts and sign-ins stay."
    package static let options = [AdminOptions.data, AdminOptions.json]

    private let arguments: Arguments
    private let name: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        name = try AdminProviders.name(try arguments.exactly("NAME")[0])
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        try await AdminSession.run(arguments, on: loop) { store in
            let provider = try await AdminProviders.find(name, in: store)
            let audit = AuditDraft.administration(
                "provider.removed",
                target: provider.id.description,
                details: [AuditDetail("name", name), AuditDetail("issuer", provider.issuer)]
            )
            guard try await store.providers.remove(provider, audit: audit) else {
                throw CommandFailure("somebody else has just removed \(name)", exitCode: ExitCode.notFound)
            }
        }
        if arguments.has("--json") {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("name", name)
            writer.member("removed", true)
            writer.endObject()
            terminal.put(writer.bytes + [UInt8(ascii: "\n")])
        } else {
            terminal.note("nobody signs in by \(name) any more; links to it come back with it")
        }
        return ExitCode.done
    }
}
