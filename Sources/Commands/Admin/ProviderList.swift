import Bytes
import Core
package import Platform
import Store

/// `errand admin provider list`: the providers by which people can sign in.
package struct ProviderList: Verb {
    package static let words = ["admin", "provider", "list"]
    package static let usage = "[options]"
    package static let summary = "List the providers by which people can sign in."
    package static let options = [AdminOptions.data, AdminOptions.json]

    private let arguments: Arguments

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        var providers: [(provider: OpenIDProvider, hasSecret: Bool)] = []
        try await AdminSession.run(arguments, on: loop) { store in
            for provider in try await store.providers.providers() {
                providers.append((provider, try await store.providers.secret(of: provider) != nil))
            }
        }
        if arguments.has("--json") {
            var writer = JSONWriter()
            writer.beginArray()
            for (provider, hasSecret) in providers { AdminProviders.write(provider, hasSecret: hasSecret, to: &writer) }
            writer.endArray()
            terminal.put(writer.bytes + [UInt8(ascii: "\n")])
            return ExitCode.done
        }
        var table = Table("NAME", "DOMAINS", "ACCOUNTS", "ISSUER")
        for (provider, _) in providers {
            let domains = provider.domains.isEmpty ? "any" : provider.domains.joined(separator: " ")
            table.add(provider.name, domains, provider.makesAccounts ? "made" : "linked", provider.issuer)
        }
        for line in table.lines(width: ClientEnvironment.terminalWidth()) { terminal.print(line) }
        return ExitCode.done
    }
}

/// `errand admin provider show NAME`: a provider as it is set.
package struct ProviderShow: Verb {
    package static let words = ["admin", "provider", "show"]
    package static let usage = "NAME [options]"
    package static let summary = "Show a provider as it is set, without its client secret."
    package static let options = [AdminOptions.data, AdminOptions.json]

    private let arguments: Arguments
    private let name: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        name = try AdminProviders.name(try arguments.exactly("NAME")[0])
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        var writer = JSONWriter()
        try await AdminSession.run(arguments, on: loop) { store in
            let provider = try await AdminProviders.find(name, in: store)
            let hasSecret = try await store.providers.secret(of: provider) != nil
            AdminProviders.write(provider, hasSecret: hasSecret, to: &writer)
        }
        if arguments.has("--json") {
            terminal.put(writer.bytes + [UInt8(ascii: "\n")])
        } else {
            for line in DocumentText.lines(try JSONReader.parse(writer.bytes)) { terminal.print(line) }
        }
        return ExitCode.done
    }
}
