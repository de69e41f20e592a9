import CPostgres
package import Core
import Platform

/// Where a database is and who asks: the keywords of a libpq connection string.
package struct ConnectionParameters: Sendable {
    private var keywords: [String: String]

    /// Reads a `postgresql://` URL or a `key=value` string.
    package init(_ text: String) throws(StoreError) {
        var complaint: UnsafeMutablePointer<CChar>?
        guard let options = unsafe PQconninfoParse(text, &complaint) else {
            unsafe PQfreemem(complaint)
            // Never the parser's own words: they may quote the password.
            throw .failed(stage: "database URL: not a connection string", sqlState: "08001")
        }
        defer { unsafe PQconninfoFree(options) }
        keywords = [:]
        var option = unsafe options
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                unsafe keywords[String(cString: keyword)] = String(cString: value)
            }
            unsafe option += 1
        }
    }

    /// The database's name.
    package var database: String? {
        get { keywords["dbname"] }
        set { keywords["dbname"] = newValue }
    }

    /// The role to log in as.
    package var user: String? {
        get { keywords["user"] }
        set { keywords["user"] = newValue }
    }

    /// The role's password.
    package var password: String? {
        get { keywords["password"] }
        set { keywords["password"] = newValue }
    }

    /// The keywords with numeric addresses and this room's settings: libpq would look names up on the loop's thread.
    func resolved() async throws(StoreError) -> [(String, String)] {
        var complete = keywords
        complete["application_name"] = keywords["application_name"] ?? "errand"
        complete["client_encoding"] = "UTF8"
        complete["connect_timeout"] = nil
        // A dead peer is noticed in half a minute, not in the kernel's two hours.
        complete["keepalives_idle"] = keywords["keepalives_idle"] ?? "10"
        complete["keepalives_interval"] = keywords["keepalives_interval"] ?? "5"
        complete["keepalives_count"] = keywords["keepalives_count"] ?? "3"
        complete["tcp_user_timeout"] = keywords["tcp_user_timeout"] ?? "20000"
        complete["options"] = [keywords["options"], Self.settings].compactMap(\.self).joined(separator: " ")
        if keywords["hostaddr"] == nil, let host = keywords["host"] {
            var addresses: [String] = []
            for name in host.split(separator: ",", omittingEmptySubsequences: false) {
                if name.isEmpty || name.hasPrefix("/") || name.hasPrefix("@") {
                    addresses.append("")
                } else {
                    addresses.append(try await Self.address(of: String(name)))
                }
            }
            if addresses.contains(where: { !$0.isEmpty }) {
                complete["hostaddr"] = addresses.joined(separator: ",")
            }
        }
        return complete.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// What every session needs whatever the server's file says: commits that are on disk, and a bound on every statement
    /// and wait: none of ours takes a second, and what takes eight stands behind a disk or a lock that will not give way.
    ///
    /// Plans are made once and follow the indexes. The statistics of a queue are always wrong (empty at one moment,
    /// a hundred thousand rows at the next), and planning anew costs more than the statement itself. Pages cost little,
    /// as in memory, so that a look by index wins over a scan of all but the smallest tables.
    private static let settings = """
        -c synchronous_commit=on -c statement_timeout=8s -c lock_timeout=4s \
        -c idle_in_transaction_session_timeout=60s -c timezone=UTC -c jit=off \
        -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_bitmapscan=off \
        -c enable_hashjoin=off -c enable_mergejoin=off -c enable_sort=off \
        -c random_page_cost=0.02 -c seq_page_cost=0.02
        """

    private static func address(of host: String) async throws(StoreError) -> String {
        do {
            return try await NameResolver.resolve(host: host, port: 0).first?.host ?? ""
        } catch {
            throw .unavailable("database host: \(error)")
        }
    }
}
