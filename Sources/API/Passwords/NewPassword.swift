import Auth
import Bytes
import Core
import Crypto
import HTTP
import Platform

/// What became of a password that somebody wants to have.
private enum NewPassword: Sendable {
    case hashed(String)
    case refused(PasswordRejection)
    /// The list of leaked passwords cannot be read: what it would say is not known.
    case unchecked
}

extension Endpoints {
    /// The hash of a new password, once the rules let it pass; `member` is where the request has it.
    func newHash(of password: String, for user: User, member: String) async throws -> String {
        let teams = try await services.teams.memberships(of: user.id)
        let words = [user.email, user.name] + teams.map(\.team.name)
        let breached = services.breachedPasswords
        do {
            // The rules try many cuts of a long password, and the list is on disk: both off the loop.
            let verdict = try await services.passwordPool.run { () throws -> NewPassword in
                if let rejection = PasswordRules.check(password, context: words) { return .refused(rejection) }
                if let breached {
                    guard let isKnown = try? breached.contains(sha1: Digest.sha1([UInt8](password.utf8))) else {
                        return .unchecked
                    }
                    if isKnown { return .refused(.breached) }
                }
                return .hashed(try PasswordCheck.hash(password))
            }
            switch verdict {
            case .hashed(let hash): return hash
            case .refused(let rejection): throw ProblemError(.passwordRefused(rejection, member))
            case .unchecked: throw ProblemError(.passwordUnchecked)
            }
        } catch is PoolFull {
            throw ProblemError(.overloaded("Too many people are signing in at this moment."))
        } catch let error as CryptoError where error.reason == .outOfMemory {
            throw ProblemError(.overloaded("The server is short of memory."))
        }
    }
}
