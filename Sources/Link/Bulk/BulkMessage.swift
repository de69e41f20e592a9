package import Core

/// What a worker says on the bulk socket.
package enum WorkerBulkMessage: Sendable, Equatable {
    /// The first message of a socket: the epoch that `welcome` gave.
    case open(epoch: Int64)
    /// Records of one attempt as `LogRecordCodec` frames; takes record credit.
    case records(AttemptID, frames: [UInt8])
    /// A piece of a pulled workspace; takes the transfer's credit.
    case chunk(transfer: UInt64, [UInt8])
    /// A pulled workspace is complete, or cut short by an error.
    case end(transfer: UInt64, error: String?)
    /// More bytes of a pushed workspace are welcome.
    case transferCredit(transfer: UInt64, bytes: UInt32)
}

/// What the API says on the bulk socket.
package enum APIBulkMessage: Sendable, Equatable {
    /// Everything of an attempt up to `seq` is stored for good.
    case durable(AttemptID, seq: UInt64)
    /// Records of an attempt are missing: send again from `next`.
    case expected(AttemptID, next: UInt64)
    /// The attempt is no longer the worker's: kill it and discard its records.
    case stale(AttemptID)
    /// More bytes of records are welcome; the first grant opens the window.
    case credit(bytes: UInt32)
    /// A piece of a pushed workspace; takes the transfer's credit.
    case chunk(transfer: UInt64, [UInt8])
    /// A pushed workspace is complete, or either kind of transfer is given up with an error.
    case end(transfer: UInt64, error: String?)
    /// More bytes of a pulled workspace are welcome.
    case transferCredit(transfer: UInt64, bytes: UInt32)
}
