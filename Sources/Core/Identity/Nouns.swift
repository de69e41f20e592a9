/// The noun of a person's account.
package enum UserNoun: Noun { package static let prefix = "usr" }
/// The noun of a team.
package enum TeamNoun: Noun { package static let prefix = "team" }
/// The noun of a project.
package enum ProjectNoun: Noun { package static let prefix = "prj" }
/// The noun of a job.
package enum JobNoun: Noun { package static let prefix = "job" }
/// The noun of a worker machine.
package enum WorkerNoun: Noun { package static let prefix = "wrk" }
/// The noun of a sign-in: one device, one family of refresh tokens.
package enum SignInNoun: Noun { package static let prefix = "dev" }
/// The noun of an HTTP request.
package enum RequestNoun: Noun { package static let prefix = "req" }
/// The noun of an entry in the audit log.
package enum AuditEntryNoun: Noun { package static let prefix = "aud" }
/// The noun of an API key.
package enum APIKeyNoun: Noun { package static let prefix = "key" }
/// The noun of a service account: an actor that belongs to a team and never signs in.
package enum ServiceAccountNoun: Noun { package static let prefix = "svc" }
/// The noun of an invitation into a team.
package enum InviteNoun: Noun { package static let prefix = "inv" }
/// The noun of a passkey.
package enum PasskeyNoun: Noun { package static let prefix = "pky" }
/// The noun of a program of others that a team has registered.
package enum OAuthClientNoun: Noun { package static let prefix = "app" }
/// The noun of a message that leaves the installation.
package enum LetterNoun: Noun { package static let prefix = "ltr" }
/// The noun of an outside OpenID provider.
package enum ProviderNoun: Noun { package static let prefix = "idp" }
/// The noun of a person's account at a provider.
package enum IdentityNoun: Noun { package static let prefix = "idn" }

package typealias UserID = ID<UserNoun>
package typealias TeamID = ID<TeamNoun>
package typealias ProjectID = ID<ProjectNoun>
package typealias JobID = ID<JobNoun>
package typealias WorkerID = ID<WorkerNoun>
package typealias SignInID = ID<SignInNoun>
package typealias RequestID = ID<RequestNoun>
package typealias AuditEntryID = ID<AuditEntryNoun>
package typealias APIKeyID = ID<APIKeyNoun>
package typealias ServiceAccountID = ID<ServiceAccountNoun>
package typealias InviteID = ID<InviteNoun>
package typealias OAuthClientID = ID<OAuthClientNoun>
package typealias PasskeyID = ID<PasskeyNoun>
package typealias LetterID = ID<LetterNoun>
package typealias ProviderID = ID<ProviderNoun>
package typealias IdentityID = ID<IdentityNoun>
