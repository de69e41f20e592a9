import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Changes a provider's code into the claims of its ID token.
    func exchange(
        _ code: String,
        _ state: ProviderState,
        _ signIn: ProviderSignIn,
        at provider: OpenIDProvider
    ) async throws -> IDToken {
        let metadata = try await directory.metadata(of: provider)
        let answer = try await directory.send(
            try await tokenRequest(code, state.verifier(salt: signIn.salt), metadata, provider)
        )
        let members = (try? JSONReader.parse(answer.body))?.object
        switch answer.status {
        case 200: break
        case 429, 500...599: throw ProviderFailure.unavailable("it answers \(answer.status) for a code")
        default:
            let error = members?["error"]?.string.flatMap { ProviderReturn.isErrorCode($0) ? $0 : nil }
            throw ProviderFailure.faulty("it refuses its own code (\(error ?? "\(answer.status)"))")
        }
        guard let token = members?["id_token"]?.string else {
            throw ProviderFailure.faulty("its answer has no ID token")
        }
        let expected = IDTokenExpectation(
            issuer: provider.issuer,
            clientID: provider.clientID,
            nonce: state.nonce(salt: signIn.salt),
            accessToken: members?["access_token"]?.string
        )
        do {
            return try await directory.verify(token, expected, of: provider, now: services.time.now)
        } catch let error as TokenError {
            throw ProviderFailure.faulty("its ID token is not believed: \(error)")
        }
    }

    private func tokenRequest(
        _ code: String,
        _ verifier: String,
        _ metadata: ProviderMetadata,
        _ provider: OpenIDProvider
    ) async throws -> ProviderRequest {
        var form = [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", callback(of: provider)),
            ("code_verifier", verifier),
        ]
        var authorization: ClearSecret?
        switch (try await clientSecret(of: provider), metadata.authentication) {
        case (nil, _): form.append(("client_id", provider.clientID))
        case (let secret?, .post): form += [("client_id", provider.clientID), ("client_secret", secret)]
        case (let secret?, .basic):
            // Both are form-encoded before they are joined (RFC 6749, section 2.3.1).
            let pair = PercentEncoding.encode(provider.clientID) + ":" + PercentEncoding.encode(secret)
            authorization = ClearSecret("Basic " + Base64.encode([UInt8](pair.utf8)))
        }
        return ProviderRequest(
            url: metadata.tokenEndpoint,
            isInternal: provider.isInternal,
            form: ClearSecret(FormEncoding.encode(form)),
            authorization: authorization
        )
    }

    private func clientSecret(of provider: OpenIDProvider) async throws -> String? {
        guard let stored = try await services.providers.secret(of: provider) else { return nil }
        do throws(SealError) {
            return try await services.vault.open(stored).revealText()
        } catch {
            throw ProblemError(.secretsUnavailable)
        }
    }
}
