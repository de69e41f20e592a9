package import Bytes

/// One act to be recorded, before its chain gives it a place.
package struct AuditDraft: Sendable, Equatable {
    package var id: AuditEntryID
    package var at: Timestamp
    /// The team whose chain it joins; nil for an act outside a team.
    package var team: TeamID?
    package var actor: AuditActor
    /// `noun.verb`, in the past: `team.created`, `sign_in.refused`.
    package var action: String
    package var outcome: AuditOutcome
    /// What was acted on, as its identifier or name; nil when the act has no single object.
    package var target: String?
    /// The address that the request came from; nil for an act of the machine.
    package var address: String?
    /// What the client calls itself; nil for an act of the machine.
    package var userAgent: String?
    package var request: RequestID?
    /// Further facts in the order given, never a secret.
    package var details: [AuditDetail]

    /// Describes an act.
    package init(
        at: Timestamp,
        team: TeamID?,
        actor: AuditActor,
        action: String,
        outcome: AuditOutcome = .succeeded,
        target: String? = nil,
        address: String? = nil,
        userAgent: String? = nil,
        request: RequestID? = nil,
        details: [AuditDetail] = []
    ) {
        id = AuditEntryID(at: at)
        self.at = at
        self.team = team
        self.actor = actor
        self.action = action
        self.outcome = outcome
        self.target = target
        self.address = address
        self.userAgent = userAgent
        self.request = request
        self.details = details
    }
}

/// Who acted.
package enum AuditActor: Sendable, Equatable {
    /// A signed-in person, on one device.
    case user(UserID, device: SignInID?)
    /// An API key, and the person or service account it acts for.
    case key(APIKeyID, actingFor: String)
    /// A worker machine.
    case worker(WorkerID)
    /// Somebody at the machine's own command line; the name of the system's account.
    case administrator(String)
    /// Nobody that is known: a refused sign-in.
    case stranger
    /// The server itself: a sweep, a rotation.
    case system
}

/// How an act ended.
package enum AuditOutcome: String, Sendable, CaseIterable {
    /// It was done.
    case succeeded
    /// It was not allowed.
    case refused
    /// It was allowed and could not be done.
    case failed
}

/// One further fact about an act.
package struct AuditDetail: Sendable, Equatable {
    package var name: String
    package var value: String

    /// Names a fact.
    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}
