import CLinux
import Glibc
import SandboxSpec

/// A message with the descriptors that came with it.
struct Message {
    var bytes: [UInt8]
    var descriptors: [Int32]
}

/// One end of a SEQPACKET socket: whole messages with descriptors.
struct Channel {
    let raw: Int32

    init(_ raw: Int32) {
        self.raw = raw
    }

    /// Sends one message; the descriptors stay the caller's.
    func send(_ bytes: [UInt8], _ descriptors: [Int32] = []) -> Int32 {
        let sent = unsafe errand_send(raw, bytes, bytes.count, descriptors, descriptors.count)
        return sent < 0 ? Int32(sent) : 0
    }

    /// Waits for one message; nil when the peer has gone.
    func receive() throws(SystemError) -> Message? {
        var bytes = [UInt8](repeating: 0, count: WireLimits.messageBytes)
        var descriptors = [Int32](repeating: -1, count: WireLimits.descriptors)
        var count = 0
        let got = unsafe errand_receive(raw, &bytes, bytes.count, &descriptors, descriptors.count, &count)
        guard got >= 0 else {
            if got == -Int(ECONNRESET) { return nil }
            throw SystemError(errno: Int32(-got))
        }
        guard got > 0 else { return nil }
        bytes.removeLast(bytes.count - got)
        return Message(bytes: bytes, descriptors: Array(descriptors[..<count]))
    }
}
