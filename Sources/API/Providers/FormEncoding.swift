import HTTP

/// Names and values as a query and a form carry them.
enum FormEncoding {
    static func encode(_ members: [(String, String)]) -> String {
        members.map { "\(PercentEncoding.encode($0.0))=\(PercentEncoding.encode($0.1))" }.joined(separator: "&")
    }
}
