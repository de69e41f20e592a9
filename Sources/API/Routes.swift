import Auth
import Core
package import HTTP

/// One row of the table of routes.
package struct RouteRow {
    package let method: HTTPMethod
    package let pattern: String
    package let operationID: String
    let operation: GuardedOperation

    init(_ method: HTTPMethod, _ pattern: String, _ operationID: String, _ operation: GuardedOperation) {
        self.method = method
        self.pattern = pattern
        self.operationID = operationID
        self.operation = operation
    }

    /// Who may call it.
    package var access: RouteAccess { operation.access }
}

extension Endpoints {
    /// The one table of routes; the OpenAPI document is held to it by a test.
    package static var table: [RouteRow] {
        [
            RouteRow(.post, "/v1/auth/login", "login", .anyone(Endpoints.login)),
            RouteRow(.post, "/v1/auth/refresh", "refresh", .anyone(Endpoints.refresh)),
            RouteRow(.post, "/v1/auth/logout", "logout", .person(Endpoints.logout)),
            RouteRow(.post, "/v1/auth/second-factor", "secondFactor", .anyone(Endpoints.secondFactor)),
            RouteRow(.post, "/v1/auth/reauthenticate", "reauthenticate", .person(Endpoints.reauthenticate)),
            RouteRow(.post, "/v1/auth/passkey/begin", "beginPasskeyProof", .anyone(Endpoints.beginPasskeyProof)),
            RouteRow(.post, "/v1/auth/passkey/finish", "finishPasskeyProof", .anyone(Endpoints.finishPasskeyProof)),
            RouteRow(.post, "/v1/auth/reset", "resetPassword", .anyone(Endpoints.resetPassword)),
            RouteRow(.get, "/signin", "showSignIn", .page(Endpoints.showSignIn)),
            RouteRow(.post, "/signin", "signIn", .page(Endpoints.signIn)),
            RouteRow(.post, "/signin/code", "signInByCode", .page(Endpoints.signInByCode)),
            RouteRow(.get, "/signin/passkey", "showPasskey", .page(Endpoints.showPasskey)),
            RouteRow(.post, "/signin/passkey", "signInByPasskey", .page(Endpoints.signInByPasskey)),
            RouteRow(.get, "/signin/provider", "beginAtProvider", .page(Endpoints.beginAtProvider)),
            RouteRow(.get, "/signin/provider/done", "returnFromProvider", .page(Endpoints.returnFromProvider)),
            RouteRow(.post, "/signout", "signOut", .page(Endpoints.signOut)),
            RouteRow(.get, "/device", "showDevice", .page(Endpoints.showDevice)),
            RouteRow(.post, "/device", "confirmDevice", .page(Endpoints.confirmDevice)),
            RouteRow(.get, "/reset", "showReset", .page(Endpoints.showReset)),
            RouteRow(.post, "/reset", "resetByPage", .page(Endpoints.resetByPage)),
            RouteRow(.get, "/invite", "showInvite", .page(Endpoints.showInvite)),
            RouteRow(.post, "/invite", "acceptByPage", .page(Endpoints.acceptByPage)),
            RouteRow(.post, "/oauth/device_authorization", "authorizeDevice", .oauth(Endpoints.authorizeDevice)),
            RouteRow(.get, "/oauth/authorize", "showConsent", .page(Endpoints.showConsent)),
            RouteRow(.post, "/oauth/authorize", "giveConsent", .page(Endpoints.giveConsent)),
            RouteRow(.post, "/oauth/revoke", "revokeToken", .oauth(Endpoints.revokeToken)),
            RouteRow(
                .get,
                "/.well-known/oauth-authorization-server",
                "oauthMetadata",
                .anyone(Endpoints.oauthMetadata)
            ),
            RouteRow(.get, "/v1/teams/{id}/clients", "listClients", .team(.clientManage, Endpoints.listClients)),
            RouteRow(.post, "/v1/teams/{id}/clients", "createClient", .team(.clientManage, Endpoints.createClient)),
            RouteRow(
                .delete,
                "/v1/teams/{id}/clients/{client}",
                "removeClient",
                .team(.clientManage, Endpoints.removeClient)
            ),
            RouteRow(
                .post,
                "/v1/teams/{id}/clients/{client}/rotate-secret",
                "rotateClientSecret",
                .team(.clientManage, Endpoints.rotateClientSecret)
            ),
            RouteRow(.post, "/oauth/token", "exchangeToken", .oauth(Endpoints.exchangeToken)),
            RouteRow(.post, "/v1/auth/forgot", "forgotPassword", .anyone(Endpoints.forgotPassword)),
            RouteRow(.get, "/v1/auth/providers", "listProviders", .anyone(Endpoints.listProviders)),
            RouteRow(
                .post,
                "/v1/auth/oidc/{provider}/start",
                "startProviderSignIn",
                .anyone(Endpoints.startProviderSignIn)
            ),
            RouteRow(
                .get,
                "/v1/auth/oidc/{provider}/callback",
                "finishProviderSignIn",
                .anyone(Endpoints.finishProviderSignIn)
            ),
            RouteRow(.post, "/v1/auth/oidc/token", "redeemProviderCode", .anyone(Endpoints.redeemProviderCode)),
            RouteRow(.get, "/v1/me/identities", "listIdentities", .person(Endpoints.listIdentities)),
            RouteRow(.post, "/v1/me/identities", "linkIdentity", .person(Endpoints.linkIdentity)),
            RouteRow(.post, "/v1/me/identities/start", "startIdentityLink", .person(Endpoints.startIdentityLink)),
            RouteRow(.delete, "/v1/me/identities/{id}", "unlinkIdentity", .person(Endpoints.unlinkIdentity)),
            RouteRow(.get, "/v1/me", "getMe", .person(Endpoints.me)),
            RouteRow(.post, "/v1/me/password", "changePassword", .person(Endpoints.changePassword)),
            RouteRow(.get, "/v1/me/notices", "listNotices", .person(Endpoints.listNotices)),
            RouteRow(.get, "/v1/me/devices", "listDevices", .person(Endpoints.listDevices)),
            RouteRow(.delete, "/v1/me/devices/{id}", "revokeDevice", .person(Endpoints.revokeDevice)),
            RouteRow(.post, "/v1/me/devices/revoke-all", "revokeDevices", .person(Endpoints.revokeDevices)),
            RouteRow(.post, "/v1/me/totp", "beginTOTP", .person(Endpoints.beginTOTP)),
            RouteRow(.delete, "/v1/me/totp", "removeTOTP", .person(Endpoints.removeTOTP)),
            RouteRow(.post, "/v1/me/totp/confirm", "confirmTOTP", .person(Endpoints.confirmTOTP)),
            RouteRow(.post, "/v1/me/recovery-codes", "replaceRecoveryCodes", .person(Endpoints.replaceRecoveryCodes)),
            RouteRow(.get, "/v1/me/passkeys", "listPasskeys", .person(Endpoints.listPasskeys)),
            RouteRow(.post, "/v1/me/passkeys/begin", "beginPasskey", .person(Endpoints.beginPasskey)),
            RouteRow(.post, "/v1/me/passkeys/finish", "finishPasskey", .person(Endpoints.finishPasskey)),
            RouteRow(.delete, "/v1/me/passkeys/{id}", "removePasskey", .person(Endpoints.removePasskey)),
            RouteRow(.post, "/v1/stream-tickets", "createStreamTicket", .person(Endpoints.createStreamTicket)),
            RouteRow(.get, "/v1/teams", "listTeams", .account(Endpoints.listTeams)),
            RouteRow(.post, "/v1/teams", "createTeam", .person(Endpoints.createTeam)),
            RouteRow(.get, "/v1/teams/{id}", "getTeam", .team(.teamRead, Endpoints.getTeam)),
            RouteRow(.patch, "/v1/teams/{id}", "renameTeam", .team(.teamRename, Endpoints.renameTeam)),
            RouteRow(
                .put,
                "/v1/teams/{id}/second-factor",
                "setSecondFactorPolicy",
                .team(.signInPolicyManage, Endpoints.setSecondFactorPolicy)
            ),
            RouteRow(.delete, "/v1/teams/{id}", "deleteTeam", .team(.teamDelete, Endpoints.deleteTeam)),
            RouteRow(.post, "/v1/teams/{id}/restore", "restoreTeam", .team(.teamRestore, Endpoints.restoreTeam)),
            RouteRow(.post, "/v1/teams/{id}/transfer", "transferTeam", .team(.teamTransfer, Endpoints.transferTeam)),
            RouteRow(.get, "/v1/teams/{id}/members", "listMembers", .team(.memberRead, Endpoints.listMembers)),
            RouteRow(.delete, "/v1/teams/{id}/members/me", "leaveTeam", .team(.teamLeave, Endpoints.leaveTeam)),
            RouteRow(
                .patch,
                "/v1/teams/{id}/members/{user}",
                "updateMember",
                .team(.memberManage, Endpoints.updateMember)
            ),
            RouteRow(
                .delete,
                "/v1/teams/{id}/members/{user}",
                "removeMember",
                .team(.memberManage, Endpoints.removeMember)
            ),
            RouteRow(.get, "/v1/teams/{id}/invites", "listInvites", .team(.inviteManage, Endpoints.listInvites)),
            RouteRow(.post, "/v1/teams/{id}/invites", "createInvite", .team(.inviteManage, Endpoints.createInvite)),
            RouteRow(
                .delete,
                "/v1/teams/{id}/invites/{invite}",
                "revokeInvite",
                .team(.inviteManage, Endpoints.revokeInvite)
            ),
            RouteRow(.get, "/v1/teams/{id}/audit", "listAudit", .team(.auditRead, Endpoints.listAudit)),
            RouteRow(.post, "/v1/invites/accept", "acceptInvite", .person(Endpoints.acceptInvite)),
            RouteRow(.get, "/v1/teams/{id}/quotas", "getQuotas", .team(.teamRead, Endpoints.getQuotas)),
            RouteRow(.get, "/v1/me/model-key", "getMyModelKey", .person(Endpoints.getMyModelKey)),
            RouteRow(.put, "/v1/me/model-key", "putMyModelKey", .person(Endpoints.putMyModelKey)),
            RouteRow(.delete, "/v1/me/model-key", "deleteMyModelKey", .person(Endpoints.deleteMyModelKey)),
            RouteRow(
                .get,
                "/v1/teams/{id}/model-key",
                "getTeamModelKey",
                .team(.modelKeyManage, Endpoints.getTeamModelKey)
            ),
            RouteRow(
                .put,
                "/v1/teams/{id}/model-key",
                "putTeamModelKey",
                .team(.modelKeyManage, Endpoints.putTeamModelKey)
            ),
            RouteRow(
                .delete,
                "/v1/teams/{id}/model-key",
                "deleteTeamModelKey",
                .team(.modelKeyManage, Endpoints.deleteTeamModelKey)
            ),
            RouteRow(.get, "/v1/teams/{id}/api-keys", "listKeys", .team(.keyManage, Endpoints.listKeys)),
            RouteRow(.post, "/v1/teams/{id}/api-keys", "createKey", .team(.keyCreate, Endpoints.createKey)),
            RouteRow(.delete, "/v1/teams/{id}/api-keys/{key}", "revokeKey", .team(.keyManage, Endpoints.revokeKey)),
            RouteRow(
                .post,
                "/v1/teams/{id}/api-keys/{key}/rotate",
                "rotateKey",
                .team(.keyCreate, Endpoints.rotateKey)
            ),
            RouteRow(
                .get,
                "/v1/teams/{id}/service-accounts",
                "listServiceAccounts",
                .team(.serviceAccountManage, Endpoints.listServiceAccounts)
            ),
            RouteRow(
                .post,
                "/v1/teams/{id}/service-accounts",
                "createServiceAccount",
                .team(.serviceAccountManage, Endpoints.createServiceAccount)
            ),
            RouteRow(
                .delete,
                "/v1/teams/{id}/service-accounts/{account}",
                "deleteServiceAccount",
                .team(.serviceAccountManage, Endpoints.deleteServiceAccount)
            ),
            RouteRow(.get, "/v1/projects", "listProjects", .chosen(.projectRead, Endpoints.listProjects)),
            RouteRow(.post, "/v1/projects", "createProject", .chosen(.projectWrite, Endpoints.createProject)),
            RouteRow(.get, "/v1/projects/{id}", "getProject", .project(.projectRead, Endpoints.getProject)),
            RouteRow(.patch, "/v1/projects/{id}", "updateProject", .project(.projectWrite, Endpoints.updateProject)),
            RouteRow(.delete, "/v1/projects/{id}", "deleteProject", .project(.projectDelete, Endpoints.deleteProject)),
            RouteRow(
                .get,
                "/v1/projects/{id}/members",
                "listProjectMembers",
                .project(.memberRead, Endpoints.listProjectMembers)
            ),
            RouteRow(
                .put,
                "/v1/projects/{id}/members/{user}",
                "putProjectMember",
                .project(.memberManage, Endpoints.putProjectMember)
            ),
            RouteRow(
                .delete,
                "/v1/projects/{id}/members/{user}",
                "deleteProjectMember",
                .project(.memberManage, Endpoints.deleteProjectMember)
            ),
            RouteRow(
                .put,
                "/v1/projects/{id}/workspace",
                "putWorkspace",
                .project(.workspaceWrite, Endpoints.putWorkspace)
            ),
            RouteRow(
                .get,
                "/v1/projects/{id}/workspace",
                "getWorkspace",
                .project(.workspaceRead, Endpoints.getWorkspace)
            ),
            RouteRow(.post, "/v1/claude/execute", "executeClaude", .chosen(.jobRun, Endpoints.executeClaude)),
            RouteRow(.get, "/v1/jobs", "listJobs", .chosen(.jobRead, Endpoints.listJobs)),
            RouteRow(.post, "/v1/jobs", "createJob", .chosen(.jobRun, Endpoints.createJob)),
            RouteRow(.get, "/v1/jobs/{id}", "getJob", .job(.jobRead, Endpoints.getJob)),
            RouteRow(.post, "/v1/jobs/{id}/cancel", "cancelJob", .job(.jobCancel, Endpoints.cancelJob)),
            RouteRow(.get, "/v1/jobs/{id}/stream", "streamJob", .stream(.jobRead, Endpoints.streamJob)),
            RouteRow(.get, "/v1/jobs/{id}/events", "jobEvents", .job(.jobRead, Endpoints.jobEvents)),
            RouteRow(.get, "/v1/jobs/{id}/output", "jobOutput", .job(.jobRead, Endpoints.jobOutput)),
            RouteRow(.get, "/v1/jobs/{id}/transcript", "jobTranscript", .job(.jobRead, Endpoints.jobTranscript)),
            RouteRow(.post, "/v1/worker-link/enrol", "enrolWorker", .worker(Endpoints.enrolWorker)),
            RouteRow(.get, "/v1/worker-link/control", "workerControlLink", .worker(Endpoints.workerControlLink)),
            RouteRow(.get, "/v1/worker-link/bulk", "workerBulkLink", .worker(Endpoints.workerBulkLink)),
            RouteRow(.get, "/health", "health", .anyone(Endpoints.health)),
            RouteRow(.get, "/ready", "ready", .anyone(Endpoints.ready)),
            RouteRow(.get, "/metrics", "metrics", .machine(Endpoints.metrics)),
            RouteRow(.get, "/openapi.json", "openAPI", .anyone(Endpoints.openAPI)),
            RouteRow(.get, "/.well-known/jwks.json", "jwks", .anyone(Endpoints.jwks)),
        ]
    }

    /// The routes of this loop, each within its limits.
    package var routes: [Route] {
        Endpoints.table.map { row in
            let operation = { (endpoints: Endpoints, request: HTTPRequest) async throws -> HTTPResponse in
                do {
                    return try await row.operation.run(endpoints, request).tellingStoreFaults()
                } catch let refusal as Refusal {
                    await endpoints.refusals.record(refusal, of: request, operation: row.operationID)
                    throw ProblemError(refusal.problem)
                }
            }
            let limit = RouteLimits.limit(of: row)
            return Route(method: row.method, pattern: row.pattern, operationID: row.operationID) { [self] request in
                guard row.access == .page else { return try await answer(request, within: limit, operation) }
                do {
                    return try await answer(request, within: limit, operation)
                } catch let error as ProblemError {
                    return WebPage.telling(error.problem)
                }
            }
        }
    }
}

extension HTTPResponse {
    /// The same response, where a store that is away while the body is produced is the problem that it is elsewhere.
    fileprivate func tellingStoreFaults() -> HTTPResponse {
        guard case .stream(let length, let produce) = body else { return self }
        var response = self
        response.body = .stream(length: length) { writer in
            do {
                try await produce(writer)
            } catch let error as StoreError {
                // A fault of ours is for the log, which a problem does not reach.
                if case .failed = error { throw error }
                throw ProblemError(Problem(error))
            }
        }
        return response
    }
}
