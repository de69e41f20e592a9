package import Core
package import Platform

/// The passwords of the three roles.
package struct RolePasswords: Sendable {
    package var owner: String
    package var app: String
    package var audit: String

    /// Names the passwords.
    package init(owner: String, app: String, audit: String) {
        self.owner = owner
        self.app = app
        self.audit = audit
    }
}

/// Makes a database ready from nothing, or a ready one current; harmless when repeated.
package enum DatabaseBootstrap {
    /// Creates the database and the roles where missing, sets the passwords, hands the database to its owner, migrates.
    ///
    /// `superuser` names a session that may do so, in any database; answers with the migrations applied.
    package static func prepare(
        superuser: ConnectionParameters,
        database: String,
        passwords: RolePasswords,
        migrations directory: String,
        on loop: EventLoop
    ) async throws(StoreError) -> [String] {
        try await create(database, superuser, loop)
        var inside = superuser
        inside.database = database
        let applied = try await Migrator(directory: directory, loop: loop).migrate(inside)
        try await grantLogins(database, passwords, inside, loop)
        return applied
    }

    private static let isThere = PostgresStatement(
        "bootstrap.database_exists",
        "select exists (select from pg_database where datname = $1::text)"
    )

    private static func create(
        _ database: String,
        _ superuser: ConnectionParameters,
        _ loop: EventLoop
    ) async throws(StoreError) {
        let session = try await PostgresConnection.open(superuser, on: loop)
        defer { session.close() }
        let exists = try await session.run(isThere([.text(database)])).first { row throws(StoreError) in
            try row.value(Bool.self)
        }
        if exists == true { return }
        guard let name = session.quotedIdentifier(database) else { throw badName }
        // The same order of texts on every machine.
        try await session.script(
            "create database \(name) template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'",
            stage: "bootstrap.create_database"
        )
    }

    private static func grantLogins(
        _ database: String,
        _ passwords: RolePasswords,
        _ superuser: ConnectionParameters,
        _ loop: EventLoop
    ) async throws(StoreError) {
        let session = try await PostgresConnection.open(superuser, on: loop)
        defer { session.close() }
        let logins = [
            ("errand_owner", passwords.owner), ("errand_app", passwords.app), ("errand_audit", passwords.audit),
        ]
        for (role, password) in logins {
            guard let verifier = session.verifier(of: password, role: role),
                let literal = session.quotedLiteral(verifier)
            else { throw .failed(stage: "bootstrap.password of \(role)", sqlState: "28P01") }
            try await session.script("alter role \(role) login password \(literal)", stage: "bootstrap.password")
        }
        guard let name = session.quotedIdentifier(database) else { throw badName }
        try await session.script("alter database \(name) owner to errand_owner", stage: "bootstrap.owner")
        try await session.script("revoke all on database \(name) from public", stage: "bootstrap.revoke")
        try await session.script(
            "grant connect on database \(name) to errand_app, errand_audit",
            stage: "bootstrap.connect"
        )
    }

    private static var badName: StoreError { .failed(stage: "bootstrap: database name", sqlState: "42602") }
}
