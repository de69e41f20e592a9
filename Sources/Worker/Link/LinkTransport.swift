import HTTP

/// Why a socket of the link could not be opened.
enum LinkFault: Error, Equatable {
    /// The API answered, and will not have this worker.
    case refused(status: Int)
    /// The API cannot be reached or is not ready; worth another try.
    case unreachable(String)
}

/// Opens the sockets of the link; loop-confined.
protocol LinkTransport: AnyObject {
    /// Opens one of the two sockets, with the worker's credential.
    func open(_ path: String, maximumMessage: Int) async throws(LinkFault) -> any WebSocketChannel
}
