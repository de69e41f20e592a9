package import Bytes

/// An RFC 9457 problem: what a client is told when a request fails.
package struct Problem: Sendable {
    /// The response status.
    package var status: Int
    /// The stable code that programs test.
    package var code: String
    /// A short text, the same for every occurrence of the code.
    package var title: String
    /// What is particular to this occurrence.
    package var detail: String?
    /// The offending parts of the request body, as JSON pointers.
    package var pointers: [(pointer: String, detail: String)]
    /// Seconds after which a retry makes sense.
    package var retryAfter: Int?
    /// Further header fields of the response.
    package var headers: [(String, String)]
    /// The URI of the problem's type.
    package var type = ProblemType.blank
    /// The names of the policies that the request went beyond.
    package var violatedPolicies: [String] = []
    /// What a program needs to go on, beside the members that every problem has.
    package var members = JSONObject()

    /// Makes a problem.
    package init(
        status: Int,
        code: String,
        title: String,
        detail: String? = nil,
        pointers: [(pointer: String, detail: String)] = [],
        retryAfter: Int? = nil,
        headers: [(String, String)] = []
    ) {
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.pointers = pointers
        self.retryAfter = retryAfter
        self.headers = headers
    }

    /// The problem as an `application/problem+json` document.
    package func encoded(requestID: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", type)
        writer.member("title", title)
        writer.member("status", status)
        if let detail { writer.member("detail", detail) }
        writer.member("code", code)
        writer.member("request_id", requestID)
        if !violatedPolicies.isEmpty {
            writer.key("violated-policies")
            writer.value(.array(violatedPolicies.map { .string($0) }))
        }
        for member in members.members {
            writer.key(member.name)
            writer.value(member.value)
        }
        if !pointers.isEmpty {
            writer.key("errors")
            writer.beginArray()
            for entry in pointers {
                writer.beginObject()
                writer.member("pointer", entry.pointer)
                writer.member("detail", entry.detail)
                writer.endObject()
            }
            writer.endArray()
        }
        writer.endObject()
        return writer.bytes
    }
}

/// A problem on its way out of a handler.
package struct ProblemError: Error, Sendable {
    /// What the client is told.
    package let problem: Problem

    /// Wraps a problem.
    package init(_ problem: Problem) {
        self.problem = problem
    }
}
