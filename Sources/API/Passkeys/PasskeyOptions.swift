import Auth
import Bytes
import Core
import HTTP

/// What a browser is asked with, in the JSON form of the Web Authentication standard.
enum PasskeyOptions {
    /// The browser's own patience: as long as the challenge lives.
    private static let timeout = StepToken.lifetime.components.seconds * 1000

    /// The options of a registration.
    static func registration(
        _ party: RelyingParty,
        challenge: String,
        user: User,
        present: [Passkey]
    ) -> HTTPResponse {
        answer(201) { writer in
            common(challenge, to: &writer)
            writer.key("rp")
            writer.beginObject()
            writer.member("id", party.id)
            writer.member("name", "Errand")
            writer.endObject()
            writer.key("user")
            writer.beginObject()
            writer.member("id", Base64.encodeURL(user.id.uuidBytes))
            writer.member("name", user.email)
            writer.member("displayName", user.name)
            writer.endObject()
            writer.key("pubKeyCredParams")
            writer.beginArray()
            for algorithm in COSEAlgorithm.allCases {
                writer.beginObject()
                writer.member("type", "public-key")
                writer.member("alg", algorithm.rawValue)
                writer.endObject()
            }
            writer.endArray()
            credentials("excludeCredentials", present, to: &writer)
            writer.key("authenticatorSelection")
            writer.beginObject()
            // Kept by the authenticator itself, it can sign in without an address typed first.
            writer.member("residentKey", "preferred")
            writer.member("userVerification", "preferred")
            writer.endObject()
            writer.member("attestation", "none")
        }
    }

    /// The options of an assertion; without passkeys the authenticator offers those it has.
    static func assertion(
        _ party: RelyingParty,
        challenge: String,
        of passkeys: [Passkey],
        requiresVerification: Bool
    ) -> HTTPResponse {
        answer(200) { writer in
            common(challenge, to: &writer)
            writer.member("rpId", party.id)
            credentials("allowCredentials", passkeys, to: &writer)
            writer.member("userVerification", requiresVerification ? "required" : "preferred")
        }
    }

    private static func answer(_ status: Int, _ write: (inout JSONWriter) -> Void) -> HTTPResponse {
        .json(
            status,
            document { writer in
                writer.beginObject()
                writer.key("options")
                writer.beginObject()
                write(&writer)
                writer.endObject()
                writer.endObject()
            }
        )
    }

    private static func common(_ challenge: String, to writer: inout JSONWriter) {
        writer.member("challenge", Base64.encodeURL([UInt8](challenge.utf8)))
        writer.member("timeout", timeout)
    }

    private static func credentials(_ name: String, _ passkeys: [Passkey], to writer: inout JSONWriter) {
        writer.key(name)
        writer.beginArray()
        for passkey in passkeys {
            writer.beginObject()
            writer.member("type", "public-key")
            writer.member("id", Base64.encodeURL(passkey.credentialID))
            if !passkey.transports.isEmpty {
                writer.key("transports")
                writer.beginArray()
                for transport in passkey.transports { writer.string(transport) }
                writer.endArray()
            }
            writer.endObject()
        }
        writer.endArray()
    }
}

extension Endpoints {
    /// This installation as authenticators know it.
    func relyingParty() throws(ProblemError) -> RelyingParty {
        let settings = services.settings
        guard let party = RelyingParty(publicURL: settings.publicURL, others: settings.allowedOrigins) else {
            throw ProblemError(.passkeysUnavailable)
        }
        return party
    }

    /// The step that a browser's answer is to, and what it says; refuses every challenge but one of ours of this kind.
    func answered(
        _ clientData: [UInt8],
        _ kind: StepToken.Kind
    ) throws -> (
        client: ClientData, step: StepToken, challenge: AnsweredChallenge
    ) {
        do throws(PasskeyError) {
            let client = try ClientData(clientData)
            guard let text = String(strictUTF8: client.challenge),
                let step = try? services.keys.verify(step: text, kind, now: services.time.now)
            else { throw PasskeyError.wrongChallenge }
            let challenge = AnsweredChallenge(hash: StepToken.hash(of: text), expiresAt: step.expiresAt)
            return (client, step, challenge)
        } catch {
            throw ProblemError(.passkeyRefused("\(error)"))
        }
    }
}
