import Auth
import Bytes
import Core
import Crypto
import HTTP

extension Endpoints {
    /// Counts a try of a user code by a signed-in person before it is looked up.
    ///
    /// Three counters: the account's and the address's waits are those of failed sign-ins, and the whole server looks up
    /// no more wrong codes than it would take years to hit one by.
    func beginUserCode(_ request: HTTPRequest, _ user: User) async throws -> SignInTry {
        let attempt = SignInTry(
            account: Digest.sha256(Array("errand user code \(user.id)".utf8)),
            place: AddressBlock(request.remoteAddress).bytes,
            isKnownDevice: false,
            begunAt: services.time.now
        )
        try await admit(attempt, request)
        do {
            // Last: whoever has to wait for their own tries takes nothing from everybody.
            try await rates.takeUserCode()
        } catch {
            try? await services.signInThrottle.end(attempt, .undecided)
            throw error
        }
        return attempt
    }
}
