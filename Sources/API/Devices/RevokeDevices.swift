import Bytes
import Core
import HTTP

extension Endpoints {
    /// Signs the person's other devices out, and this one when asked: `POST /v1/me/devices/revoke-all`.
    func revokeDevices(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        let includesCurrent = try await request.optionalJSONObject { $0.boolean("include_current") == true }
        let ended = try await services.accounts.revokeAll(
            of: person.user,
            except: includesCurrent ?? false ? nil : person.signIn,
            now: services.time.now,
            audit: request.revocationDraft(person, person.user.description, at: services.time.now)
        )
        for device in ended { announceApp(device) }
        return .json(
            200,
            document { writer in
                writer.beginObject()
                writer.member("revoked", ended.count)
                writer.endObject()
            }
        )
    }
}
