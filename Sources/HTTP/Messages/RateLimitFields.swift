/// What clients are told of their limits; every name of draft-ietf-httpapi-ratelimit-headers stands here, because it is
/// still a draft.
///
/// Both fields are Structured Field Lists of Strings with Integer parameters (RFC 9651). No partition key is sent: the
/// name of a policy says what is counted, and a key would say of whom.
package enum RateLimitFields {
    /// Names the policies that a request was held to.
    package static let policy = "ratelimit-policy"
    /// Says what is left under the policy that is nearest to its end.
    package static let limit = "ratelimit"

    /// The largest Integer of a Structured Field.
    private static let largest: Int64 = 999_999_999_999_999

    /// One policy: `quota` requests in each window of so many seconds.
    package static func policyItem(_ name: String, quota: Int64, window: Int64) -> String {
        "\"\(name)\";q=\(bounded(quota));w=\(bounded(window))"
    }

    /// What is left of one policy, and the seconds until there is more.
    package static func limitItem(_ name: String, remaining: Int64, seconds: Int64) -> String {
        "\"\(name)\";r=\(bounded(remaining));t=\(bounded(seconds))"
    }

    private static func bounded(_ number: Int64) -> Int64 { min(max(number, 0), largest) }
}

/// The problem types that the same draft registers.
package enum ProblemType {
    /// No type of its own: the code says it all.
    package static let blank = "about:blank"
    /// More was asked for than a policy allows; the member `violated-policies` names it.
    package static let quotaExceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded"
    /// The server itself has less to give for now.
    package static let temporaryReducedCapacity =
        "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
    /// What is asked looks like an attack.
    package static let abnormalUsageDetected = "https://iana.org/assignments/http-problem-types#abnormal-usage-detected"
}
