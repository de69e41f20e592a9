import Core

/// One prepared statement of this room: constant text, and the stage name that errors carry.
struct PostgresStatement: Sendable {
    /// Also the statement's name on the server, so unique.
    let name: String
    let text: String

    /// Makes a statement; values are bound, never part of the text.
    init(_ name: String, _ text: String) {
        self.name = name
        self.text = text
    }

    func callAsFunction(_ values: [PostgresValue] = []) -> PostgresCall {
        PostgresCall(statement: self, values: values)
    }
}

/// A statement with its values.
struct PostgresCall {
    let statement: PostgresStatement
    let values: [PostgresValue]
}

/// The statements of one transaction, sent together and answered together.
///
/// The scope is set in the same group: nothing of another transaction can come in between, and it ends with the group.
struct PostgresGroup {
    /// Nil only for what touches no table of ours.
    var scope: Scope?
    var calls: [PostgresCall]
    /// False for what may be lost with the machine (heartbeats): the commit does not wait for the disk.
    var isDurable = true

    /// A transaction that sees what `scope` allows.
    init(_ scope: Scope?, _ calls: [PostgresCall], isDurable: Bool = true) {
        self.scope = scope
        self.calls = calls
        self.isDurable = isDurable
    }

    private static let setScope = PostgresStatement(
        "scope.set",
        "select set_config('errand.scope', $1::text, true)"
    )
    private static let setScopeRelaxed = PostgresStatement(
        "scope.set_relaxed",
        "select set_config('errand.scope', $1::text, true), set_config('synchronous_commit', 'off', true)"
    )

    /// The statement that opens the scope; its answer is dropped.
    var opening: PostgresCall? {
        scope.map { (isDurable ? Self.setScope : Self.setScopeRelaxed)([.text($0.setting)]) }
    }
}

extension Scope {
    /// The scope as the policies read it.
    var setting: String {
        switch self {
        case .user(let id): "user:\(id.uuidText)"
        case .team(let id): "team:\(id.uuidText)"
        case .key(let id, _): "key:\(id.uuidText)"
        case .system: "system"
        }
    }
}
