import Bytes
import HTTP

/// The fields of a form, each at most once.
struct FormFields {
    private let values: [String: String]

    fileprivate init(_ values: [String: String]) { self.values = values }

    /// What a field holds; nil when it is not there or empty, which RFC 6749 takes for the same.
    subscript(name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }
}

/// The bounds of a form: a sign-in, or an authorization request with all its parameters.
private enum FormBounds {
    static let bytes = 16 << 10
    static let fields = 32
}

extension HTTPRequest {
    /// Reads the body as a form; `allowed` are the only fields that it may have, nil where protocols add their own.
    func form(allowed: Set<String>? = nil) async throws -> FormFields {
        guard isForm else { throw ProblemError(.notForm) }
        let bytes: [UInt8]
        do throws(BodyError) { bytes = try await body.collect(limit: FormBounds.bytes) } catch {
            throw ProblemError(Problem(error))
        }
        guard let text = String(strictUTF8: bytes), let pairs = PercentEncoding.decodeQuery(text) else {
            throw ProblemError(.malformedForm("is not valid percent-encoded UTF-8"))
        }
        return try Self.fields(pairs, allowed: allowed)
    }

    /// Pairs as fields: few, and none twice.
    static func fields(_ pairs: [(String, String)], allowed: Set<String>?) throws(ProblemError) -> FormFields {
        guard pairs.count <= FormBounds.fields else { throw ProblemError(.malformedForm("has too many fields")) }
        var values: [String: String] = [:]
        for (name, value) in pairs {
            if let allowed, !allowed.contains(name) {
                throw ProblemError(.malformedForm("has a field of another form"))
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw ProblemError(.malformedForm("has a field twice"))
            }
        }
        return FormFields(values)
    }

    private var isForm: Bool {
        guard let type = headers["content-type"] else { return false }
        let parts = type.split(separator: ";", maxSplits: 1).map { $0.lowercased().filter { $0 != " " && $0 != "\t" } }
        guard parts.first == "application/x-www-form-urlencoded" else { return false }
        return parts.count == 1 || parts[1] == "charset=utf-8"
    }
}

extension Problem {
    static let notForm = Problem(
        status: 415,
        code: "unsupported_media_type",
        title: "The request body must be a form",
        detail: "Send `content-type: application/x-www-form-urlencoded`."
    )
    static func malformedForm(_ fault: String) -> Problem {
        Problem(status: 400, code: "malformed_form", title: "The form cannot be read", detail: "It \(fault).")
    }
}
