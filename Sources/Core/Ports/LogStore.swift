/// The job log's durable half: compressed chunks of records per attempt.
package protocol LogStore: AnyObject {
    /// Appends records durably; they must begin at the stored last seq + 1.
    ///
    /// Answers with the last durable seq: that of the records, or of storage when they did not fit on (the writer then
    /// sends from there). Nil when the attempt is not the job's current running one (stale fence).
    func append(_ records: [LogRecord], to attempt: AttemptID) async throws(StoreError) -> UInt64?
    /// The last durable seq of an attempt; 0 when it has none.
    func durable(_ attempt: AttemptID) async throws(StoreError) -> UInt64
    /// Records from `seq` on, in order, until about `maximumBytes` are read.
    func read(
        _ attempt: AttemptID,
        from seq: UInt64,
        maximumBytes: Int
    ) async throws(StoreError) -> [LogRecord]
    /// Records of one stream that hold the byte at `offset` and what follows, until about `maximumBytes` are read.
    func read(
        _ attempt: AttemptID,
        stream: LogStream,
        fromOffset offset: UInt64,
        maximumBytes: Int
    ) async throws(StoreError) -> [LogRecord]
    /// The stored bytes of one stream.
    func length(_ attempt: AttemptID, stream: LogStream) async throws(StoreError) -> UInt64
    /// How each attempt up to the current one ended, for `reset` events: attempt number and last durable seq.
    func attempts(of job: JobID) async throws(StoreError) -> [(attempt: Int, lastDurable: UInt64)]
}
