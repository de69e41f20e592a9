import API
import Auth
import Bytes
import Core
import Egress
import Operations
import Platform
import Store
import Transport

/// OpenID providers as the administrative verbs name, show and check them.
enum AdminProviders {
    static let secretFile = Option(
        "--client-secret-file",
        "FILE",
        "take the client secret from a file; - is standard input, as when it is a pipe; asked for otherwise"
    )
    /// Longer than any that a provider gives.
    private static let longestSecret = 4_096

    /// A provider's short name from a command line.
    static func name(_ word: String) throws(UsageError) -> String {
        guard OpenIDProvider.isName(word) else {
            throw UsageError("NAME must be 1 to 40 lower-case letters, digits and dashes")
        }
        return word
    }

    /// The provider of a name.
    static func find(_ name: String, in store: Store) async throws -> OpenIDProvider {
        guard let provider = try await store.providers.provider(named: name) else {
            throw CommandFailure(
                "there is no provider \(name): see `errand admin provider list`",
                exitCode: ExitCode.notFound
            )
        }
        return provider
    }

    /// The client secret from where no other process sees it: never from the command line.
    static func secret(_ file: String?) async throws -> ClearSecret {
        var text: String
        if let file = file ?? (InputText.isPiped ? "-" : nil) {
            text = try await InputText.read(file, limit: longestSecret + 2, what: "the client secret")
        } else {
            guard let typed = try await PersonalInput.ask("Client secret: ", isSecret: true) else {
                throw CommandFailure(
                    "there is nobody to ask: name a file with \(secretFile.name)",
                    exitCode: ExitCode.usage
                )
            }
            text = typed
        }
        while text.hasSuffix("\n") || text.hasSuffix("\r\n") { text.removeLast() }
        guard (1...longestSecret).contains(text.utf8.count), text.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else {
            throw CommandFailure("the client secret must be visible ASCII characters", exitCode: ExitCode.usage)
        }
        return ClearSecret(text)
    }

    /// Seals a client secret under the installation's newest master key and has it kept.
    static func keep(
        _ secret: ClearSecret,
        of provider: OpenIDProvider,
        _ arguments: Arguments,
        in store: Store,
        _ put: ([UInt8]) async throws(StoreError) -> Void
    ) async throws {
        let file = MasterKeyFile(try Configuration.load(), dataDirectory: arguments.value("--data"))
        let vault = SecretVault(keys: MasterKeyHolder(file, try file.load()), store: store.secrets)
        try await vault.keep(secret, in: provider.secretPlace, put)
    }

    /// Asks the provider for its description and its keys, as a sign-in would.
    static func check(_ provider: OpenIDProvider, on loop: EventLoop) async throws {
        let connector = ProviderConnector(loop: loop, tls: try TLSClientContext(caFile: nil))
        if let fault = await ProviderCheck.fault(of: provider, by: connector, on: loop) {
            throw CommandFailure(
                "\(provider.issuer): \(fault); nothing was kept (--no-check keeps it all the same)",
                exitCode: ExitCode.unavailable
            )
        }
    }

    /// Writes a provider as a JSON object, without its secret.
    static func write(_ provider: OpenIDProvider, hasSecret: Bool, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", provider.id.description)
        writer.member("name", provider.name)
        writer.member("label", provider.label)
        writer.member("issuer", provider.issuer)
        writer.member("client_id", provider.clientID)
        writer.member("has_client_secret", hasSecret)
        writer.key("domains")
        writer.value(.array(provider.domains.map { .string($0) }))
        writer.member("makes_accounts", provider.makesAccounts)
        writer.member("joins_team", provider.joins?.team.description)
        writer.member("joins_role", provider.joins?.role.rawValue)
        writer.member("is_internal", provider.isInternal)
        writer.member("vouches_for_addresses", provider.vouchesForAddresses)
        writer.member("created_at", provider.createdAt)
        writer.endObject()
    }
}
