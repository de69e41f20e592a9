package import Bytes

/// A person who wants another way into their account, and the sign-in by which they ask.
package struct IdentityLinking: Sendable, Equatable {
    package var user: UserID
    package var signIn: SignInID

    /// Pairs a person with their sign-in.
    package init(user: UserID, signIn: SignInID) {
        self.user = user
        self.signIn = signIn
    }
}

/// A sign-in by a provider that is under way: what was asked for, until the browser comes back.
package struct ProviderSignIn: Sendable, Equatable {
    package var provider: ProviderID
    /// With the state it gives nonce and verifier.
    package var salt: [UInt8]
    /// What whoever began it will be known by.
    package var challenge: String
    /// Where the browser goes in the end.
    package var redirect: String
    /// What the client wants back, as it is.
    package var clientState: String?
    /// Whether the person must prove anew who they are.
    package var wantsFresh: Bool
    /// Who wants to link the identity; nil for a sign-in.
    package var links: IdentityLinking?
    package var startedAt: Timestamp
    package var expiresAt: Timestamp

    /// Describes what was asked for.
    package init(
        provider: ProviderID,
        salt: [UInt8],
        challenge: String,
        redirect: String,
        clientState: String?,
        wantsFresh: Bool,
        links: IdentityLinking?,
        startedAt: Timestamp,
        expiresAt: Timestamp
    ) {
        self.provider = provider
        self.salt = salt
        self.challenge = challenge
        self.redirect = redirect
        self.clientState = clientState
        self.wantsFresh = wantsFresh
        self.links = links
        self.startedAt = startedAt
        self.expiresAt = expiresAt
    }
}

/// What a one-use code stands for, once the provider has said who came.
package struct ProviderGrant: Sendable, Equatable {
    /// What the code is for.
    package enum Purpose: Sendable, Equatable {
        /// Signing in; with the time of the proof, when the provider told one.
        case signIn(authenticatedAt: Timestamp?)
        /// Linking the identity, by the sign-in that asked.
        case link(SignInID, issuer: String, subject: String, email: String?)
    }

    package var provider: ProviderID
    /// Whose account it is.
    package var user: UserID
    package var purpose: Purpose
    /// What whoever redeems it must answer.
    package var challenge: String
    /// Where the code was sent.
    package var redirect: String
    package var expiresAt: Timestamp
    /// When it was redeemed; nil while it can be.
    package var usedAt: Timestamp?

    /// Describes a grant that was not used yet.
    package init(
        provider: ProviderID,
        user: UserID,
        purpose: Purpose,
        challenge: String,
        redirect: String,
        expiresAt: Timestamp,
        usedAt: Timestamp? = nil
    ) {
        self.provider = provider
        self.user = user
        self.purpose = purpose
        self.challenge = challenge
        self.redirect = redirect
        self.expiresAt = expiresAt
        self.usedAt = usedAt
    }
}
