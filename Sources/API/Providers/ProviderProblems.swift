import Auth
import HTTP

extension Problem {
    static func providerUnavailable(_ detail: String) -> Problem {
        var problem = Problem(
            status: 503,
            code: "provider_unavailable",
            title: "The identity provider cannot be reached",
            detail: "Nobody can sign in by it at this moment: \(detail).",
            retryAfter: 5
        )
        problem.type = ProblemType.temporaryReducedCapacity
        return problem
    }
    static func providerFaulty(_ detail: String) -> Problem {
        Problem(
            status: 502,
            code: "provider_faulty",
            title: "What the identity provider answers cannot be used",
            detail: "An administrator has to look after it: \(detail)."
        )
    }
    static let codeRefused = Problem(
        status: 400,
        code: "invalid_grant",
        title: "The code is not valid",
        detail:
            "A code works once, for 60 seconds, with the verifier and the redirect_uri of its sign-in; begin the sign-in again."
    )
    static let lastWayIn = Problem(
        status: 409,
        code: "last_way_in",
        title: "This is the only way into the account",
        detail: "Have an administrator send a password link first: `errand admin user reset`."
    )
    static func identityRefused(_ refusal: ProviderRefusal) -> Problem {
        Problem(status: 409, code: refusal.rawValue, title: "The identity cannot be linked", detail: refusal.sentence)
    }

    /// What a provider's failure means to the client.
    init(_ failure: ProviderFailure) {
        switch failure {
        case .unavailable(let detail): self = .providerUnavailable(detail)
        case .faulty(let detail): self = .providerFaulty(detail)
        }
    }
}

extension ProviderRefusal {
    /// What the person is told.
    var sentence: String {
        switch self {
        case .domainNotAllowed: "Your address at the provider is not verified, or not one that may sign in here."
        case .noAccount: "There is no account for you here: ask an administrator, or link the provider to your account."
        case .addressNotVerified: "The provider does not say that your address is verified, so no account can be made."
        case .accountExists:
            "There is an account with your address. Sign in to it as before, then link this provider to it "
                + "(`errand account link`)."
        case .accountDisabled: "The account is disabled."
        case .identityTaken: "This identity opens another account already."
        case .identityExists: "Your account has another identity at this provider: unlink that one first."
        case .notFresh: "The provider does not say that you have proved anew who you are."
        }
    }
}
