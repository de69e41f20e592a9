import Core
import HTTP
import Platform

/// What is new about a sign-in, for its person to know.
struct SignInNews {
    /// What the sign-in is like.
    var traits: Set<SignInTrait>
    /// Those of them that the person was never seen with.
    var unseen: [SignInTrait]
    /// From the sign-in before, which was too far away for the time that has passed.
    var journey: ImpossibleJourney?

    var isEmpty: Bool { unseen.isEmpty && journey == nil }

    /// What is recorded of it.
    func drafts(_ request: HTTPRequest, by actor: AuditActor, of signIn: SignIn) -> [AuditDraft] {
        func draft(_ action: String, _ details: [AuditDetail]) -> AuditDraft {
            request.auditDraft(
                by: actor,
                action,
                team: nil,
                target: signIn.id.description,
                at: signIn.createdAt,
                details: details
            )
        }
        var drafts: [AuditDraft] = []
        if !unseen.isEmpty {
            drafts.append(draft("sign_in.new_device", unseen.map { AuditDetail($0.kind.rawValue, $0.value) }))
        }
        if let journey {
            drafts.append(
                draft(
                    "sign_in.impossible_speed",
                    [
                        AuditDetail("since", journey.start.description),
                        AuditDetail("kilometres", "\(journey.kilometres)"),
                        AuditDetail("minutes", "\(journey.minutes)"),
                    ]
                )
            )
        }
        return drafts
    }
}

extension Endpoints {
    /// What is new about a sign-in by its client, its network and, where there is a file of places, its whereabouts.
    func news(of signIn: SignIn, isPresent: Bool, _ request: HTTPRequest) async throws -> SignInNews {
        var traits = request.signInTraits
        let place = try await place(of: signIn.address)
        if let country = place?.country { traits.insert(SignInTrait(.country, country)) }
        let known = try await services.accounts.traits(of: signIn.userID)
        // Nothing is known of who signs in for the first time, or first since countries are told: then nothing is new.
        let kinds = Set(known.map(\.kind))
        let unseen = traits.subtracting(known).filter { kinds.contains($0.kind) }
        return SignInNews(
            traits: traits,
            unseen: unseen.sorted { $0.kind.rawValue < $1.kind.rawValue },
            journey: isPresent ? try await journey(of: signIn, to: place) : nil
        )
    }

    /// The journey from the person's last sign-in that stands, when nobody can have made it.
    private func journey(of signIn: SignIn, to place: Place?) async throws -> ImpossibleJourney? {
        guard let end = place?.position else { return nil }
        let last = try await services.accounts.signIns(
            of: signIn.userID,
            before: nil,
            limit: 1,
            now: signIn.createdAt
        ).items.first
        guard let last, let begin = try await self.place(of: last.address)?.position else { return nil }
        return ImpossibleJourney(from: last.id, at: last.createdAt, begin, to: end, at: signIn.createdAt)
    }

    /// Where an address is; nil also when the file cannot be read now, which refuses nobody.
    private func place(of address: String) async throws -> Place? {
        guard let places = services.places else { return nil }
        do {
            return try await BlockingPool.run { try? places.place(of: address) }
        } catch is PoolFull {
            return nil
        }
    }
}
