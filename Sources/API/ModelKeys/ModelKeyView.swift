import Bytes
import Core
import HTTP

/// The JSON form of a model key, which never has the key in it.
enum ModelKeyView {
    static func answer(_ key: ModelKey, _ verification: (ModelKeyVerification, detail: String?)? = nil) -> HTTPResponse
    {
        .json(
            200,
            document { writer in
                writer.beginObject()
                writer.member("owner", key.owner.description)
                writer.member("provider", key.provider.rawValue)
                writer.member("base_url", key.baseURL)
                writer.member("last_four", key.lastFour)
                writer.member("set_by", key.setBy.description)
                writer.member("set_at", key.setAt)
                writer.member("verified_at", key.verifiedAt)
                if let verification {
                    writer.member("verification", verification.0.rawValue)
                    writer.member("verification_detail", verification.detail)
                }
                writer.endObject()
            }
        )
    }
}
