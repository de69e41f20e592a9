import Glibc
import Platform
import Synchronization

/// Runs a closure on a thread that Swift knows nothing of.
func startThread(_ body: @escaping @Sendable () -> Void) {
    let box = unsafe Unmanaged.passRetained(ThreadBody(body: body))
    var thread = pthread_t()
    let result = unsafe pthread_create(&thread, nil, runThreadBody, box.toOpaque())
    precondition(result == 0, "pthread_create")
    pthread_detach(thread)
}

private final class ThreadBody: Sendable {
    let body: @Sendable () -> Void

    init(body: @escaping @Sendable () -> Void) {
        self.body = body
    }
}

private func runThreadBody(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument = unsafe argument else { return nil }
    unsafe Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().body()
    return nil
}

/// Both ends of a pipe as the numbers the test closes or hands on.
struct PipeEnds: Sendable {
    let read: Int32
    let write: Int32
}

func makePipe() throws -> PipeEnds {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw PlatformError(stage: "pipe", errno: errno) }
    return PipeEnds(read: ends[0], write: ends[1])
}

/// Both ends of a connected pair of stream sockets.
func makeSocketPair() throws -> (Int32, Int32) {
    var ends: [Int32] = [-1, -1]
    guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else {
        throw PlatformError(stage: "socketpair", errno: errno)
    }
    return (ends[0], ends[1])
}

/// A count that several threads raise.
final class Tally: Sendable {
    private let value = Atomic(0)

    var count: Int { value.load(ordering: .sequentiallyConsistent) }

    func add() {
        value.add(1, ordering: .sequentiallyConsistent)
    }
}
