package import Core

/// Why somebody whom a provider has proved to be somebody is not let in.
package enum ProviderRefusal: String, Error, Sendable, CaseIterable {
    /// The address's domain is none of those that the administrator allows, or the address is not verified.
    case domainNotAllowed = "domain_not_allowed"
    /// There is no account for them, and the provider may not bring new ones.
    case noAccount = "no_account"
    /// The account would need an address, and the provider vouches for none.
    case addressNotVerified = "address_not_verified"
    /// The address is an account's already: only its owner may link it.
    case accountExists = "account_exists"
    /// The account is disabled.
    case accountDisabled = "account_disabled"
    /// The identity opens another account.
    case identityTaken = "identity_taken"
    /// The account has another identity at this provider.
    case identityExists = "identity_exists"
    /// The person was to prove anew who they are, and the provider does not say that they did.
    case notFresh = "not_fresh"
}

extension OpenIDProvider {
    /// The address that the provider vouches for, in its canonical form.
    ///
    /// An address of which it says that it is not verified never counts.
    package func verifiedAddress(of token: IDToken) -> String? {
        guard let email = token.email.flatMap({ EmailAddress.canonical($0) }) else { return nil }
        return token.isEmailVerified ?? vouchesForAddresses ? email : nil
    }

    /// Refuses whoever has no verified address in one of the allowed domains, also those who were let in before.
    package func checkDomain(of token: IDToken) throws(ProviderRefusal) {
        guard !domains.isEmpty else { return }
        guard let domain = verifiedAddress(of: token)?.split(separator: "@").last, domains.contains(String(domain))
        else { throw .domainNotAllowed }
    }

    /// The address of a new account for somebody who has none.
    package func newAddress(of token: IDToken) throws(ProviderRefusal) -> String {
        guard makesAccounts else { throw .noAccount }
        guard let email = verifiedAddress(of: token) else { throw .addressNotVerified }
        return email
    }
}
