package import Bytes
package import Core

extension InMemoryTeams {
    package func rename(
        _ team: TeamID,
        to name: String,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        guard let own = role(scope, in: team) else { return .unknown }
        guard own >= .admin else { return .forbidden }
        guard !isClosing(team) else { return .closing }
        guard teams[team]?.name != name else { return .unchanged }
        teams[team]?.name = name
        return done(audit)
    }

    package func addMember(
        _ user: UserID,
        to team: TeamID,
        role: Role,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        guard teams[team] != nil else { return .unknown }
        guard !isClosing(team) else { return .closing }
        guard users[user] != nil else { return .unknownMember }
        guard people[team]?[user] == nil else { return .alreadyMember }
        people[team]?[user] = (role, now)
        return done(audit)
    }

    package func setRole(
        of user: UserID,
        in team: TeamID,
        to wanted: Role,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        guard let own = role(scope, in: team) else { return .unknown }
        guard own >= .admin else { return .forbidden }
        guard let present = people[team]?[user]?.role else { return .unknownMember }
        guard !isClosing(team) else { return .closing }
        guard own >= max(present, wanted) else { return .forbidden }
        guard present != wanted else { return .unchanged }
        guard present != .owner || !isLastOwner(user, of: team) else { return .lastOwner }
        people[team]?[user]?.role = wanted
        if wanted == .owner { forgetOwnRoles(of: user, in: team) }
        return done(audit)
    }

    package func removeMember(
        _ user: UserID,
        from team: TeamID,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        let leaves = scope == .user(user)
        guard let own = role(scope, in: team) else { return .unknown }
        guard leaves || own >= .admin else { return .forbidden }
        guard let present = people[team]?[user]?.role else { return .unknownMember }
        guard leaves || !isClosing(team) else { return .closing }
        guard own >= present else { return .forbidden }
        guard present != .owner || !isLastOwner(user, of: team) else { return .lastOwner }
        people[team]?[user] = nil
        forgetOwnRoles(of: user, in: team)
        return done(audit)
    }

    package func transfer(
        _ team: TeamID,
        to heir: UserID,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        guard let own = role(scope, in: team) else { return .unknown }
        guard own == .owner, case .user(let actor) = scope else { return .forbidden }
        guard role(.user(heir), in: team) != nil else { return .unknownMember }
        guard !isClosing(team) else { return .closing }
        guard actor != heir else { return .unchanged }
        people[team]?[heir]?.role = .owner
        forgetOwnRoles(of: heir, in: team)
        people[team]?[actor]?.role = .admin
        return done(audit)
    }

    package func setRole(
        of user: UserID,
        in project: ProjectID,
        to wanted: Role?,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        guard let team = projects[project], let base = role(scope, in: team) else { return .unknown }
        var own = base
        if case .user(let actor) = scope, base != .owner { own = ownRoles[project]?[actor] ?? base }
        guard own >= .admin else { return .forbidden }
        guard let theirs = people[team]?[user]?.role else { return .unknownMember }
        guard !isClosing(team) else { return .closing }
        let present = ownRoles[project]?[user]
        guard own >= max(present ?? theirs, wanted ?? theirs) else { return .forbidden }
        guard theirs != .owner else { return .ownerFixed }
        guard wanted != present else { return .unchanged }
        ownRoles[project, default: [:]][user] = wanted
        return done(audit)
    }

    package func delete(
        _ team: TeamID,
        now: Timestamp,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        guard let own = role(scope, in: team) else { return .unknown }
        guard own == .owner else { return .forbidden }
        guard !isClosing(team) else { return .unchanged }
        teams[team]?.deletedAt = now
        return done(audit)
    }

    package func restore(
        _ team: TeamID,
        now: Timestamp,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        guard let own = role(scope, in: team) else { return .unknown }
        guard own == .owner else { return .forbidden }
        guard let purgeAt = teams[team]?.purgeAt else { return .unchanged }
        guard now < purgeAt else { return .unknown }
        teams[team]?.deletedAt = nil
        return done(audit)
    }

    private func forgetOwnRoles(of user: UserID, in team: TeamID) {
        for (project, owner) in projects where owner == team { ownRoles[project]?[user] = nil }
    }
}

// MARK: - Invitations

extension InMemoryTeams {
    package func create(
        _ invite: Invite,
        tokenHash: [UInt8],
        letters drafts: [LetterDraft],
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        guard let own = role(scope, in: invite.teamID) else { return .unknown }
        guard own >= max(.admin, invite.role) else { return .forbidden }
        guard !isClosing(invite.teamID) else { return .closing }
        let open = invitations.values.count {
            $0.teamID == invite.teamID && $0.state(at: invite.createdAt) == .open
        }
        guard open < TeamLimits.openInvites else { return .full }
        guard invitations[tokenHash] == nil else { throw .conflict(field: "token") }
        var kept = invite
        if case .user(let actor) = scope { kept.invitedBy = actor } else { kept.invitedBy = nil }
        if !drafts.isEmpty {
            guard mayMail(kept) else { return .mailLimit }
            mailed.append(kept)
        }
        invitations[tokenHash] = kept
        return done(audit)
    }

    /// Whether the last hour has room for an invitation by mail.
    private func mayMail(_ invite: Invite) -> Bool {
        let recent = mailed.filter { invite.createdAt - $0.createdAt < .seconds(3_600) }
        return recent.count { $0.teamID == invite.teamID } < OutboxLimits.invitesPerTeam
            && recent.count { $0.invitedBy != nil && $0.invitedBy == invite.invitedBy } < OutboxLimits.invitesPerPerson
            && recent.count { $0.email == invite.email } < OutboxLimits.invitesPerRecipient
    }

    package func invites(
        of team: TeamID,
        before: InviteID?,
        limit: Int,
        scope: Scope
    ) async throws(StoreError) -> Page<Invite> {
        guard role(scope, in: team) != nil else { return Page(items: [], hasMore: false) }
        let found = invitations.values.filter { invite in
            invite.teamID == team && before.map { invite.id < $0 } ?? true
        }
        return Self.page(found.sorted { $0.id > $1.id }, limit)
    }

    package func invite(tokenHash: [UInt8]) async throws(StoreError) -> Invite? { invitations[tokenHash] }

    package func revoke(
        _ invite: InviteID,
        of team: TeamID,
        now: Timestamp,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        guard let own = role(scope, in: team) else { return .unknown }
        guard own >= .admin else { return .forbidden }
        guard
            let (hash, found) = invitations.first(where: { $0.value.id == invite && $0.value.teamID == team }),
            found.state(at: now) == .open
        else { return .unknownInvite }
        guard own >= found.role else { return .forbidden }
        invitations[hash]?.revokedAt = now
        return done(audit)
    }

    package func accept(
        tokenHash: [UInt8],
        now: Timestamp,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        guard case .user(let guest) = scope, let user = users[guest], !user.isDisabled,
            let invite = invitations[tokenHash], invite.state(at: now) == .open, !isClosing(invite.teamID),
            invite.email == nil || invite.email == user.email, mayStillInvite(invite)
        else { return .unknownInvite }
        guard people[invite.teamID]?[guest] == nil else { return .alreadyMember }
        people[invite.teamID]?[guest] = (invite.role, now)
        invitations[tokenHash]?.acceptedAt = now
        invitations[tokenHash]?.acceptedBy = guest
        return done(audit)
    }

    private func mayStillInvite(_ invite: Invite) -> Bool {
        guard let host = invite.invitedBy else { return true }
        return role(.user(host), in: invite.teamID).map { $0 >= max(.admin, invite.role) } ?? false
    }
}
