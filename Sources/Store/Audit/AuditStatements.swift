import Core

/// How acts are recorded in the transaction that does them.
///
/// Recording takes the lock of each chain's head, in one order for everybody. So that no two transactions wait for each
/// other, it happens once in a transaction and after every statement that locks rows.
enum AuditStatements {
    /// Records drafts whatever the group's other statements did: their failure takes it back with them.
    static func append(_ drafts: [AuditDraft]) -> PostgresCall { appendAll(values(drafts)) }

    /// A statement that records drafts when, and only when, `act` gives a row (for which `condition` holds).
    ///
    /// `act` is one INSERT, UPDATE, DELETE with RETURNING, or one SELECT of a function that acts; its columns are the
    /// answer. It takes the first `parameters` values of the call, and `values(drafts)` follow them. `condition` names
    /// columns of the act as `act.column`; `others` are further WITH queries that the act reads.
    static func audited(
        _ name: String,
        parameters: Int,
        when condition: String = "true",
        with others: String? = nil,
        _ act: String
    ) -> PostgresStatement {
        PostgresStatement(
            name,
            """
            with \(others.map { $0 + "," } ?? "") act as (\(act)),
            recorded as materialized (
                select errand_audit_append(\(arguments(after: parameters)))
                from (select from act where \(condition) limit 1) once
            )
            select act.* from act where (select count(*) from recorded) >= 0
            """
        )
    }

    /// The values of `parameters` arguments and more: the drafts sorted by chain, those of one chain in the order given.
    static func values(_ drafts: [AuditDraft]) -> [PostgresValue] { values(sorted(drafts)) }

    /// The same for drafts that are sealed and sorted.
    static func values(_ sealed: [SealedAuditDraft]) -> [PostgresValue] {
        [
            .ids(sealed.map(\.chain.uuid)), .array(.bytes, sealed.map { .bytes($0.canonical) }),
            .array(.bytes, sealed.map { .bytes($0.personal) }), .array(.text, sealed.map { .text($0.actor) }),
            .array(.text, sealed.map { .text($0.action) }), .array(.text, sealed.map { .text($0.target) }),
        ]
    }

    /// Drafts with the keys of the things they are about, sorted by chain: keys first, then what `values` gives.
    static func keyed<N: Noun>(_ drafts: [(key: ID<N>, draft: AuditDraft)]) -> [PostgresValue] {
        let sealed = drafts.map { (key: $0.key, draft: SealedAuditDraft($0.draft)) }
        let sorted = stablySorted(sealed) { $0.draft.chain }
        return [.ids(sorted.map(\.key))] + values(sorted.map(\.draft))
    }

    /// The parameters that `values` fill, behind the first `count`.
    static func arguments(after count: Int) -> String {
        zip(["uuid[]", "bytea[]", "bytea[]", "text[]", "text[]", "text[]"], (count + 1)...)
            .map { "$\($1)::\($0)" }
            .joined(separator: ", ")
    }

    private static func sorted(_ drafts: [AuditDraft]) -> [SealedAuditDraft] {
        stablySorted(drafts.map { SealedAuditDraft($0) }) { $0.chain }
    }

    private static func stablySorted<Element>(
        _ elements: [Element],
        by chain: (Element) -> AuditChain
    ) -> [Element] {
        guard let first = elements.first.map(chain), elements.contains(where: { chain($0) != first }) else {
            return elements
        }
        return elements.enumerated()
            .sorted { (chain($0.element), $0.offset) < (chain($1.element), $1.offset) }
            .map(\.element)
    }

    private static let appendAll = PostgresStatement(
        "audit.append",
        "select errand_audit_append(\(arguments(after: 0)))"
    )
}
