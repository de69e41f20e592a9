import Auth
import Bytes
import Core
import Crypto
import HTTP
import Testing

@testable import API

/// A client of a team, with somebody who may consent to it.
final class OAuthStage {
    static let redirect = "https://app.test/back"
    static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

    let world: APIWorld
    let person: APIPerson
    let browser: PageBrowser
    let id: String
    let secret: String?

    /// Registers a client of the person's own team, and signs the person in in a browser.
    init(
        _ world: APIWorld,
        scopes: [String] = ["jobs:read", "projects:read"],
        isConfidential: Bool = false
    ) async throws {
        self.world = world
        person = try await world.person()
        browser = PageBrowser(world)
        let form = JSONValue.members([
            "name": .string("Dashboard"), "redirect_uris": .strings([Self.redirect, "http://127.0.0.1/back"]),
            "scopes": .strings(scopes), "confidential": .bool(isConfidential),
        ])
        let token = try await world.device(of: person).token
        let made = try await world.send(.post, "/v1/teams/\(person.team.id)/clients", form, token: token)
        try #require(made.status == 201, "\(made.text)")
        id = try #require(made.json["id"]?.string)
        secret = made.json["secret"]?.string
        try await browser.signIn(person)
    }

    /// The target of a request for consent; what is nil is left out.
    func target(_ changes: [String: String?] = [:]) -> String {
        let standard: [(String, String?)] = [
            ("response_type", "code"), ("client_id", id), ("redirect_uri", Self.redirect), ("scope", "jobs:read"),
            ("state", "s t&a"), ("code_challenge", Self.challenge), ("code_challenge_method", "S256"),
        ]
        let pairs = standard.compactMap { name, value in
            (changes[name] ?? value).map { (name, $0) }
        }
        return "/oauth/authorize?" + PageBrowser.encode(pairs)
    }

    /// The fields of the form on the consent page.
    func fields(_ decision: String, _ changes: [String: String] = [:]) -> [(String, String)] {
        [
            ("response_type", "code"), ("client_id", id), ("redirect_uri", Self.redirect), ("scope", "jobs:read"),
            ("state", "s t&a"), ("code_challenge", Self.challenge), ("code_challenge_method", "S256"),
            ("decision", decision),
        ].map { ($0.0, changes[$0.0] ?? $0.1) }
    }

    /// Answers the consent page, and gives the parameters that the client gets.
    func consent(_ decision: String = "allow", _ changes: [String: String] = [:]) async throws -> [String: String] {
        try await browser.get(target(changes.mapValues { .some($0) }))
        let pairs = fields(decision, changes) + [("form", browser.formToken ?? "")]
        let own = [("origin", APIWorld.publicURL)]
        let answer = try await browser.send(.post, "/oauth/authorize", PageBrowser.encode(pairs), own)
        try #require(answer.status == 303, "\(answer.status) \(answer.text)")
        return try Self.parameters(browser.location)
    }

    /// The parameters in an address that a client is called back at.
    static func parameters(_ location: String?) throws -> [String: String] {
        let query = try #require(location?.split(separator: "?", maxSplits: 1).last)
        return Dictionary(try #require(PercentEncoding.decodeQuery(query))) { first, _ in first }
    }

    /// Exchanges a code.
    func exchange(
        _ code: String?,
        redirect: String = OAuthStage.redirect,
        verifier: String = OAuthStage.verifier,
        client: String? = nil,
        secret: String? = nil
    ) async throws -> APIAnswer {
        let pairs = [
            ("grant_type", "authorization_code"), ("code", code ?? ""), ("redirect_uri", redirect),
            ("client_id", client ?? id), ("code_verifier", verifier),
        ]
        return try await post("/oauth/token", pairs + (secret ?? self.secret).map { [("client_secret", $0)] }.orEmpty)
    }

    func post(_ target: String, _ pairs: [(String, String)], headers: [(String, String)] = []) async throws -> APIAnswer
    {
        let type = ("content-type", "application/x-www-form-urlencoded")
        let body = Array(PageBrowser.encode(pairs).utf8)
        return try await world.exchange(.post, target, HTTPHeaders([type] + headers), body, address: "192.0.2.30")
    }

    /// Goes all the way to tokens.
    func tokens(_ changes: [String: String] = [:]) async throws -> (access: String, refresh: String) {
        let answer = try await exchange(try await consent("allow", changes)["code"])
        try #require(answer.status == 200, "\(answer.text)")
        return (
            try #require(answer.json["access_token"]?.string), try #require(answer.json["refresh_token"]?.string)
        )
    }

    /// Renews tokens.
    func refresh(_ token: String, scope: String? = nil, client: String? = nil) async throws -> APIAnswer {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", client ?? id)]
        return try await post(
            "/oauth/token",
            pairs + secret.map { [("client_secret", $0)] }.orEmpty + scope.map { [("scope", $0)] }.orEmpty
        )
    }
}

extension [(String, String)]? {
    /// The pairs, or none.
    fileprivate var orEmpty: [(String, String)] { self ?? [] }
}
