import API
import Auth
import Bytes
import Core
import HTTP
import Platform
import Store
import TestSupport
import Testing

/// A client with a browser, on the way to a scripted provider and back.
final class ProviderBrowser {
    static let redirect = "http://127.0.0.1:4711/done?from=test"

    let world: APIWorld
    let verifier = PKCE.makeVerifier()
    /// The query of the authorization URL.
    private(set) var asked: [String: String] = [:]

    private static let serial = Lock(0)

    init(_ world: APIWorld) { self.world = world }

    /// Sends a request from an address of its own, so that limits by address, which have tests of theirs, do not count.
    func send(
        _ method: HTTPMethod,
        _ target: String,
        _ body: JSONValue? = nil,
        token: String? = nil
    ) async throws -> APIAnswer {
        let number = Self.serial.withLock { count in
            count += 1
            return count
        }
        let address = "198.51.\(number / 250).\(number % 250 + 1)"
        return try await world.send(method, target, body, token: token, address: address)
    }

    /// The body of a start, with members put in or for null taken out.
    func startForm(_ changes: [String: JSONValue] = [:]) -> JSONValue {
        let members: [String: JSONValue] = [
            "code_challenge": .string(PKCE.challenge(of: verifier)), "code_challenge_method": .string("S256"),
            "redirect_uri": .string(Self.redirect), "state": .string("mine & only"),
        ]
        let merged = members.merging(changes) { $1 }.filter { !$0.value.isNull }
        return .object(JSONObject(merged.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
    }

    /// Begins, and takes note of where the browser is sent.
    @discardableResult
    func start(_ changes: [String: JSONValue] = [:], token: String? = nil) async throws -> APIAnswer {
        let path = token == nil ? "/v1/auth/oidc/acme/start" : "/v1/me/identities/start"
        let more: [String: JSONValue] = token == nil ? [:] : ["provider": .string("acme")]
        let form = startForm(more.merging(changes) { $1 })
        let answer = try await send(.post, path, form, token: token)
        guard answer.status == 201, let url = answer.json["authorization_url"]?.string else { return answer }
        let (place, query) = (url.prefix { $0 != "?" }, url.drop { $0 != "?" }.dropFirst())
        #expect(place == "\(world.provider.issuer)/authorize")
        asked = Dictionary(try #require(PercentEncoding.decodeQuery(query)), uniquingKeysWith: { $1 })
        world.provider.nonce = asked["nonce"] ?? ""
        return answer
    }

    /// Comes back from the provider, with members of the query put in or taken out.
    func comeBack(_ changes: [String: String?] = [:], to provider: String = "acme") async throws -> APIAnswer {
        var members: [String: String?] = ["code": "code-of-the-provider", "state": asked["state"]]
        members.merge(changes) { $1 }
        let query = members.compactMap { name, value in value.map { "\(name)=\(PercentEncoding.encode($0))" } }
        return try await send(.get, "/v1/auth/oidc/\(provider)/callback?" + query.joined(separator: "&"))
    }

    /// The members that a redirection brings the client.
    func brought(_ answer: APIAnswer) throws -> [String: String] {
        try #require(answer.status == 303, "\(answer.text)")
        let place = try #require(answer.headers["location"])
        #expect(place.hasPrefix(Self.redirect + "&"))
        let pairs = try #require(PercentEncoding.decodeQuery(place.drop { $0 != "?" }.dropFirst()))
        return Dictionary(pairs, uniquingKeysWith: { $1 })
    }

    /// What the client is brought when the browser comes back.
    func arrival(_ changes: [String: String?] = [:]) async throws -> [String: String] {
        try brought(try await comeBack(changes))
    }

    /// Goes there and back, and gives the code.
    func code(token: String? = nil) async throws -> String {
        let begun = try await start(token: token)
        try #require(begun.status == 201, "\(begun.text)")
        return try #require(try await arrival()["code"])
    }

    /// Presents a code, with members of the form put in or taken out.
    func redeem(_ code: String, _ changes: [String: JSONValue] = [:]) async throws -> APIAnswer {
        try await send(.post, "/v1/auth/oidc/token", redeemForm(code, changes))
    }

    func redeemForm(_ code: String, _ changes: [String: JSONValue] = [:]) -> JSONValue {
        let members: [String: JSONValue] = [
            "code": .string(code), "code_verifier": .string(verifier), "redirect_uri": .string(Self.redirect),
        ]
        let merged = members.merging(changes) { $1 }.filter { !$0.value.isNull }
        return .object(JSONObject(merged.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
    }

    /// Signs in all the way.
    func signIn() async throws -> APITokens { try APITokens(try await redeem(try await code())) }

    /// Why the client is told that there is no code.
    func denial(_ changes: [String: String?] = [:]) async throws -> String? {
        let begun = try await start()
        try #require(begun.status == 201, "\(begun.text)")
        let brought = try await arrival(changes)
        #expect(brought["code"] == nil && brought["state"] == "mine & only")
        #expect(brought["error_description"]?.isEmpty == false)
        return brought["error"]
    }
}

extension APIWorld {
    /// What the audit log says besides, of each act of a kind outside teams.
    func details(of action: String) async throws -> [[AuditDetail]] {
        try await store.audit.stored(.installation, after: .start, limit: 10_000)
            .filter { AuditEntry(canonical: $0.canonical)?.action == action }
            .map { $0.personal.flatMap { AuditPersonalPart($0) }?.details ?? [] }
    }

    /// Adds the scripted provider as `acme`, with the client secret `s3cret`.
    @discardableResult
    func addProvider(
        domains: [String] = [],
        makesAccounts: Bool = true,
        joins: ProviderTeam? = nil,
        isPublic: Bool = false
    ) async throws -> OpenIDProvider {
        let provider = OpenIDProvider.sample(
            issuer: provider.issuer,
            domains: domains,
            makesAccounts: makesAccounts,
            joins: joins
        )
        let audit = AuditDraft(at: time.now, team: nil, actor: .system, action: "provider.added")
        let vault = replicas[0].services.vault
        guard !isPublic else {
            try await store.providers.add(provider, sealed: nil, audit: audit)
            return provider
        }
        let ring = masterKeys.ring
        _ = try await store.secrets.register(ring.current.id, of: ring.keys.map(\.id))
        try await vault.keep(ClearSecret("s3cret"), in: provider.secretPlace) {
            [store] (sealed) async throws(StoreError) in
            try await store.providers.add(provider, sealed: sealed, audit: audit)
        }
        return provider
    }
}
