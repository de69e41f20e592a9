package import Core
import Crypto

/// What is stored of an attempt's log, told without its worker.
package enum StoredLog {
    /// As much as is in memory at once.
    private static let pieceBytes = 1 << 20

    /// The end of the log that is stored: the last number, the bytes and their digest.
    ///
    /// Reads all of it, a piece at a time: a log of 1 GiB takes some seconds, in which others have their turns.
    package static func end(of attempt: AttemptID, in store: any LogStore) async throws(StoreError) -> LogEnd {
        var digest = SHA256Stream()
        var (seq, bytes): (UInt64, UInt64) = (0, 0)
        while true {
            let records = try await store.read(attempt, from: seq + 1, maximumBytes: pieceBytes)
            for record in records {
                guard record.seq == seq + 1 else {
                    throw .failed(stage: "log of \(attempt): record \(seq + 1) is missing", sqlState: "XX001")
                }
                digest.update(record.bytes)
                seq = record.seq
                bytes += UInt64(record.bytes.count)
            }
            if records.isEmpty { return LogEnd(lastSeq: seq, bytes: bytes, sha256: digest.finish()) }
        }
    }
}
