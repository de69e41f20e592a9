import CLinux
import Glibc

/// The descriptors a child gets, and this process's ends of its pipes, while it is being started.
struct ChildStreams: ~Copyable {
    private(set) var mappings: [clinux_mapping] = []
    private let childEnds: DescriptorBag
    private let parentEnds: DescriptorBag

    init(_ spec: ProcessSpec) throws(PlatformError) {
        childEnds = DescriptorBag()
        parentEnds = DescriptorBag()
        let streams = [spec.standardInput, spec.standardOutput, spec.standardError]
        for (number, stream) in zip(Int32(0)..., streams) {
            switch stream {
            case .inherit: break
            case .descriptor(let raw): mappings.append(clinux_mapping(child: number, raw: raw))
            case .null:
                let raw = try systemCall("open(/dev/null)") { unsafe open("/dev/null", O_RDWR | O_CLOEXEC) }
                childEnds.keep(raw, as: number)
                mappings.append(clinux_mapping(child: number, raw: raw))
            case .pipe:
                var ends: [Int32] = [-1, -1]
                try systemCall("pipe") { unsafe clinux_pipe(&ends) }
                let childEnd = number == 0 ? ends[0] : ends[1]
                childEnds.keep(childEnd, as: number)
                parentEnds.keep(number == 0 ? ends[1] : ends[0], as: number)
                mappings.append(clinux_mapping(child: number, raw: childEnd))
            }
        }
        for extra in spec.extraDescriptors {
            precondition(extra.child > 2, "standard streams have their own settings")
            mappings.append(clinux_mapping(child: extra.child, raw: extra.raw))
        }
    }

    borrowing func takeParentEnd(_ number: Int32, loop: EventLoop) throws(PlatformError) -> ByteSocket? {
        guard let raw = parentEnds.take(number) else { return nil }
        return try ByteSocket(loop: loop, adopting: OwnedDescriptor(raw))
    }
}

/// Numbered descriptors that are closed unless they were taken.
private final class DescriptorBag {
    private var held: [Int32: Int32] = [:]

    deinit {
        for raw in held.values { _ = Glibc.close(raw) }
    }

    func keep(_ raw: Int32, as number: Int32) {
        held[number] = raw
    }

    func take(_ number: Int32) -> Int32? {
        held.removeValue(forKey: number)
    }
}
