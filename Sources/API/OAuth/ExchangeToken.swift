import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Exchanges a grant for tokens: `POST /oauth/token` (RFC 6749, 3.2).
    func exchangeToken(_ request: HTTPRequest) async throws -> HTTPResponse {
        let form = try await request.form()
        switch form["grant_type"] {
        case GrantType.code: return try await exchangeCode(form, request)
        case GrantType.refreshToken: return try await exchangeRefreshToken(form, request)
        case GrantType.deviceCode: return try await exchangeDeviceCode(form, request)
        case nil: throw OAuthError.invalidRequest("grant_type is required.")
        default: throw OAuthError.unsupportedGrantType
        }
    }

    /// Answers a machine that asks whether its person has confirmed it (RFC 8628, 3.4).
    private func exchangeDeviceCode(_ form: FormFields, _ request: HTTPRequest) async throws -> HTTPResponse {
        guard let client = form["client_id"] else { throw OAuthError.invalidRequest("client_id is required.") }
        guard let device = form["device_code"].flatMap({ OpaqueToken.parse($0, .deviceCode) }) else {
            throw OAuthError.invalidGrant
        }
        let poll = try await services.deviceGrants.pollDevice(
            hash: device.hash,
            client: client,
            now: services.time.now
        )
        switch poll {
        case .pending: throw OAuthError.authorizationPending
        case .slowDown: throw OAuthError.slowDown
        case .refused: throw OAuthError.accessDenied
        case .expired: throw OAuthError.expiredToken
        case .unknown: throw OAuthError.invalidGrant
        case .approved(let id, let name):
            guard let user = try await services.accounts.user(id) else { throw OAuthError.invalidGrant }
            return try await redeem(
                ProvenPerson(user: user, proof: SignInProof(first: .device), passwordGeneration: nil),
                device: name,
                as: SignInOpening(
                    client: client,
                    credential: .refresh(RefreshToken.make()),
                    grant: .device(hash: device.hash),
                    // Nobody has proved anything at that machine: whoever wants more of it proves it there.
                    authenticatedAt: services.time.now.adding(.zero - FreshSignIn.lifetime)
                ),
                request
            )
        }
    }

    /// Opens the sign-in that a grant stands for, and uses the grant up.
    func redeem(
        _ person: ProvenPerson,
        device: String,
        as opening: SignInOpening,
        _ request: HTTPRequest
    ) async throws -> HTTPResponse {
        do {
            let opened = try await openSignIn(person, device: device, as: opening, request)
            return try tokenAnswer(
                for: opened.signIn,
                refreshToken: opened.refreshToken,
                // What makes a password wait less is not a client's business.
                deviceToken: opening.scopes == nil ? deviceToken(for: person.user, request) : nil
            )
        } catch let error as ProblemError where error.problem.code == Problem.wrongCredentials.code {
            // Somebody else was first, or the account or its password has changed.
            throw OAuthError.invalidGrant
        }
    }
}

/// The grants that are given, by the names that the protocols have for them.
enum GrantType {
    static let code = "authorization_code"
    static let refreshToken = "refresh_token"
    static let deviceCode = "urn:ietf:params:oauth:grant-type:device_code"
}
