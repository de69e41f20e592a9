import Bytes

/// A project as the client remembers it.
struct RememberedProject: Equatable, Sendable {
    var id: String
    var name: String
}

/// A sign-in kept between commands.
struct Credentials: Equatable, Sendable {
    /// The server, such as `https://127.0.0.1:8443`.
    var url: String
    /// A file of certificate authorities to trust instead of the system's.
    var caFile: String?
    var email: String
    var accessToken: String
    var expiresAt: Timestamp
    var refreshToken: String
    /// What makes this device known at the next sign-in.
    var deviceToken: String?
    /// The project of commands that name none.
    var project: RememberedProject?

    private static let version: Int64 = 1

    /// The text of the file.
    func encoded() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("version", Self.version)
        writer.member("url", url)
        writer.member("ca_file", caFile)
        writer.member("email", email)
        writer.member("access_token", accessToken)
        writer.member("expires_at", expiresAt)
        writer.member("refresh_token", refreshToken)
        writer.member("device_token", deviceToken)
        writer.member("project_id", project?.id)
        writer.member("project_name", project?.name)
        writer.endObject()
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    /// Reads the text of the file.
    init(decoding bytes: [UInt8]) throws(CredentialsError) {
        guard let json = try? JSONReader.parse(bytes), json.object != nil else { throw CredentialsError.damaged }
        guard json["version"]?.integer == Self.version else { throw CredentialsError.otherVersion }
        guard let url = json["url"]?.string, let email = json["email"]?.string,
            let accessToken = json["access_token"]?.string, let refreshToken = json["refresh_token"]?.string,
            let expiresAt = Timestamp(rfc3339: json["expires_at"]?.string ?? "")
        else { throw CredentialsError.damaged }
        self.url = url
        caFile = json["ca_file"]?.string
        deviceToken = json["device_token"]?.string
        self.email = email
        self.accessToken = accessToken
        self.expiresAt = expiresAt
        self.refreshToken = refreshToken
        if let id = json["project_id"]?.string, let name = json["project_name"]?.string {
            project = RememberedProject(id: id, name: name)
        }
    }

    /// Makes credentials of what a sign-in answered.
    init(url: String, caFile: String?, email: String, tokens: TokenPair) {
        self.url = url
        self.caFile = caFile
        self.email = email
        accessToken = tokens.access
        expiresAt = tokens.expiresAt
        refreshToken = tokens.refresh
        deviceToken = tokens.device
    }

    /// Takes the successors of the tokens.
    mutating func renew(with tokens: TokenPair) {
        accessToken = tokens.access
        expiresAt = tokens.expiresAt
        refreshToken = tokens.refresh
    }
}

/// Why the file of credentials cannot be used.
enum CredentialsError: Error, Equatable {
    case damaged
    case otherVersion
}

/// The tokens that a sign-in or a refresh answers with.
struct TokenPair: Equatable, Sendable {
    let access: String
    let refresh: String
    let expiresAt: Timestamp
    /// Only of a sign-in.
    let device: String?

    /// Reads the answer, received at `now`.
    init?(_ json: JSONValue, at now: Timestamp) {
        guard let access = json["access_token"]?.string, let refresh = json["refresh_token"]?.string,
            let seconds = json["expires_in"]?.integer, (0...31_536_000).contains(seconds)
        else { return nil }
        self.access = access
        self.refresh = refresh
        expiresAt = now.adding(seconds: Int(seconds))
        device = json["device_token"]?.string
    }
}
