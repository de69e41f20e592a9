package import Core

/// How entries are written when they leave the log.
package enum AuditExportFormat: String, CaseIterable, Sendable {
    /// A line of JSON for each, which shows it and carries what verifies it.
    case ndjson
    /// A table for spreadsheets.
    case csv

    /// The media type that clients ask for.
    package var mediaType: String {
        switch self {
        case .ndjson: "application/x-ndjson"
        case .csv: "text/csv"
        }
    }

    /// What stands before the first entry of all.
    package var heading: [UInt8] {
        switch self {
        case .ndjson: []
        case .csv: AuditTable.heading
        }
    }

    /// What stands before a chain whose oldest months were dropped.
    package func line(_ anchor: AuditAnchor) -> [UInt8] {
        switch self {
        case .ndjson: AuditLine.encode(anchor) + [0x0a]
        case .csv: []
        }
    }

    /// An entry with its line break.
    package func line(_ entry: StoredAuditEntry) -> [UInt8] {
        switch self {
        case .ndjson: AuditLine.encode(entry) + [0x0a]
        case .csv: AuditTable.row(entry)
        }
    }
}
