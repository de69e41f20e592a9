import Bytes

/// What `ready.json` tells about a running installation.
package struct ReadyReport: Sendable {
    /// Where the API answers.
    package var url: String
    /// The authority behind its certificate.
    package var caFile: String
    /// Who may sign in first.
    package var adminEmail: String
    /// The file with that one's password.
    package var adminPasswordFile: String
    /// The process that runs everything.
    package var pid: Int32
    /// The database, for looking into it.
    package var postgresURL: Secret
    /// The socket of Redis.
    package var redisSocket: String
    /// The process of the API.
    package var apiPID: Int32?
    /// The processes of the workers.
    package var workerPIDs: [Int32]

    /// Collects what there is to tell.
    package init(
        url: String,
        caFile: String,
        adminEmail: String,
        adminPasswordFile: String,
        pid: Int32,
        postgresURL: Secret,
        redisSocket: String,
        apiPID: Int32?,
        workerPIDs: [Int32]
    ) {
        self.url = url
        self.caFile = caFile
        self.adminEmail = adminEmail
        self.adminPasswordFile = adminPasswordFile
        self.pid = pid
        self.postgresURL = postgresURL
        self.redisSocket = redisSocket
        self.apiPID = apiPID
        self.workerPIDs = workerPIDs
    }

    func json() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("url", url)
        writer.member("ca_file", caFile)
        writer.member("admin_email", adminEmail)
        writer.member("admin_password_file", adminPasswordFile)
        writer.member("pid", Int64(pid))
        writer.member("postgres_url", postgresURL.reveal())
        writer.member("redis_socket", redisSocket)
        writer.key("api_pid")
        if let apiPID { writer.integer(apiPID) } else { writer.null() }
        writer.key("worker_pids")
        writer.beginArray()
        for pid in workerPIDs { writer.integer(pid) }
        writer.endArray()
        writer.endObject()
        return writer.bytes + [UInt8(ascii: "\n")]
    }
}
