/// One thing that the doctor looked at.
package struct Finding: Hashable, Sendable {
    /// How it stands.
    package enum Verdict: String, Sendable {
        /// As it should be.
        case fine = "ok"
        /// Errand works, but less well or less safely.
        case warning
        /// Errand does not work so.
        case failure
    }

    /// What was looked at.
    package let name: String
    /// How it stands.
    package let verdict: Verdict
    /// What was found.
    package let detail: String
    /// What to do, empty when there is nothing to do.
    package let fix: String

    static func fine(_ name: String, _ detail: String) -> Finding {
        Finding(name: name, verdict: .fine, detail: detail, fix: "")
    }

    static func warning(_ name: String, _ detail: String, fix: String) -> Finding {
        Finding(name: name, verdict: .warning, detail: detail, fix: fix)
    }

    static func failure(_ name: String, _ detail: String, fix: String) -> Finding {
        Finding(name: name, verdict: .failure, detail: detail, fix: fix)
    }
}
