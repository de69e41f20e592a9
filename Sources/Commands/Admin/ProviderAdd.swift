import Bytes
import Core
package import Platform
import Store
import Transport

/// `errand admin provider add NAME`: lets people sign in by an outside OpenID provider.
package struct ProviderAdd: Verb {
    package static let words = ["admin", "provider", "add"]
    package static let usage = "NAME --issuer URL --client-id ID [options]"
    package static let summary = "Let people sign in by an outside OpenID provider."
    package static let options = [
        Option("--issuer", "URL", "the provider's issuer, to the letter"),
        Option("--client-id", "ID", "what this installation is called at the provider"),
        AdminProviders.secretFile,
        Option("--public", "the provider gave no client secret"),
        Option("--label", "TEXT", "what people read when they choose (default: NAME)"),
        Option("--domain", "DOMAIN", "let in addresses of this domain only; may be repeated"),
        Option("--any-domain", "with --make-accounts: everybody at the provider may have an account here"),
        Option("--make-accounts", "make an account for whoever has none"),
        Option("--team", "TEAM", "with --make-accounts: the team that they join, besides their own"),
        Option("--role", "ROLE", "with --team: viewer, member (default) or admin"),
        Option("--internal", "the provider may be in a network of your own, or on this machine"),
        Option("--vouches-for-addresses", "count addresses as verified of which the provider does not say either"),
        Option("--no-check", "do not ask the provider for its description and keys"),
        AdminOptions.data, AdminOptions.json,
    ]

    private let arguments: Arguments
    private let name: String
    private let issuer: String
    private let clientID: String
    private let domains: [String]
    private let role: Role

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        name = try AdminProviders.name(try arguments.exactly("NAME")[0])
        guard let issuer = arguments.value("--issuer"), let clientID = arguments.value("--client-id") else {
            throw UsageError("--issuer and --client-id are needed")
        }
        guard (8...500).contains(issuer.utf8.count), let url = ClientURL(issuer),
            ["https", "http"].contains(url.scheme), !issuer.contains("?")
        else { throw UsageError("--issuer must be an https URL without user name, query and fragment") }
        guard (1...500).contains(clientID.utf8.count), clientID.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw UsageError("--client-id must be 1 to 500 visible ASCII characters")
        }
        (self.issuer, self.clientID) = (issuer, clientID)
        domains = arguments.all("--domain").map { $0.lowercased() }
        for domain in domains where EmailAddress.canonical("a@\(domain)") == nil {
            throw UsageError("\(domain) is no domain of addresses")
        }
        role = try arguments.value("--role").map { word throws(UsageError) in try Role(argument: word) } ?? .member
        try Self.checkAccounts(arguments, domains, role)
        guard (1...60).contains((arguments.value("--label") ?? name).utf8.count) else {
            throw UsageError("--label must be 1 to 60 bytes")
        }
        guard !arguments.has("--public") || arguments.value(AdminProviders.secretFile.name) == nil else {
            throw UsageError("--public and \(AdminProviders.secretFile.name) cannot be meant together")
        }
    }

    /// Refuses what would let in more than was meant.
    private static func checkAccounts(
        _ arguments: Arguments,
        _ domains: [String],
        _ role: Role
    ) throws(UsageError) {
        guard arguments.has("--make-accounts") else {
            guard !arguments.has("--team"), !arguments.has("--any-domain") else {
                throw UsageError("--team and --any-domain need --make-accounts")
            }
            return
        }
        guard domains.isEmpty == arguments.has("--any-domain") else {
            throw UsageError("--make-accounts needs --domain, or --any-domain for everybody whom the provider knows")
        }
        guard role != .owner else { throw UsageError("nobody becomes an owner by a provider") }
        guard arguments.has("--team") || !arguments.has("--role") else { throw UsageError("--role needs --team") }
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let file = arguments.value(AdminProviders.secretFile.name)
        let secret = arguments.has("--public") ? nil : try await AdminProviders.secret(file)
        let provider = try await AdminSession.run(arguments, on: loop) { store in
            let provider = try await described(in: store)
            if !arguments.has("--no-check") { try await AdminProviders.check(provider, on: loop) }
            do {
                try await keep(provider, secret, in: store)
            } catch StoreError.conflict(field: "name") {
                throw CommandFailure("there is a provider \(name) already")
            } catch StoreError.conflict(field: "issuer") {
                throw CommandFailure("there is a provider for \(issuer) already: see `errand admin provider list`")
            }
            return provider
        }
        if arguments.has("--json") {
            var writer = JSONWriter()
            AdminProviders.write(provider, hasSecret: secret != nil, to: &writer)
            terminal.put(writer.bytes + [UInt8(ascii: "\n")])
        } else {
            terminal.note("people can sign in by \(name): `errand login --provider \(name)`")
            terminal.note("at the provider, register this redirection: PUBLIC_URL/v1/auth/oidc/\(name)/callback")
        }
        return ExitCode.done
    }

    private func described(in store: Store) async throws -> OpenIDProvider {
        let now = WallClock.now()
        var joins: ProviderTeam?
        if let team = arguments.value("--team") {
            joins = ProviderTeam(team: try await AdminTeams.find(team, in: store).id, role: role)
        }
        return OpenIDProvider(
            id: ProviderID(at: now),
            name: name,
            label: arguments.value("--label") ?? name,
            issuer: issuer,
            clientID: clientID,
            domains: domains,
            makesAccounts: arguments.has("--make-accounts"),
            joins: joins,
            isInternal: arguments.has("--internal"),
            vouchesForAddresses: arguments.has("--vouches-for-addresses"),
            createdAt: now
        )
    }

    private func keep(_ provider: OpenIDProvider, _ secret: ClearSecret?, in store: Store) async throws {
        let audit = AuditDraft.administration(
            "provider.added",
            target: provider.id.description,
            at: provider.createdAt,
            details: [
                AuditDetail("name", provider.name), AuditDetail("issuer", provider.issuer),
                AuditDetail("client_id", provider.clientID),
                AuditDetail("domains", provider.domains.joined(separator: " ")),
                AuditDetail("makes_accounts", "\(provider.makesAccounts)"),
                AuditDetail("internal", "\(provider.isInternal)"),
            ]
        )
        guard let secret else { return try await store.providers.add(provider, sealed: nil, audit: audit) }
        try await AdminProviders.keep(secret, of: provider, arguments, in: store) {
            (sealed) async throws(StoreError) in
            try await store.providers.add(provider, sealed: sealed, audit: audit)
        }
    }
}
