/// A fixed block of memory that input is read into; nothing beyond `count` is ever visible to its next owner.
///
/// It cannot be copied, so that a buffer given back to its pool cannot be used again.
@safe package struct IOBuffer: ~Copyable {
    private let storage: UnsafeMutableRawBufferPointer

    /// How many bytes hold input.
    package private(set) var count = 0

    fileprivate init(_ storage: UnsafeMutableRawBufferPointer) { unsafe self.storage = unsafe storage }

    deinit { unsafe storage.deallocate() }

    /// How many bytes the buffer can hold.
    package var capacity: Int { unsafe storage.count }

    /// Whether there is no room for more input.
    package var isFull: Bool { count == capacity }

    /// The input held.
    package var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let input = unsafe UnsafeRawBufferPointer(rebasing: storage[..<count]).assumingMemoryBound(to: UInt8.self)
            return unsafe _overrideLifetime(Span(_unsafeElements: input), borrowing: self)
        }
    }

    /// Hands the free part to `read`, which returns how many bytes it put there, or a number below 1 for none.
    package mutating func fill(_ read: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        let free = unsafe UnsafeMutableRawBufferPointer(rebasing: storage[count...])
        let added = unsafe read(free)
        precondition(added <= free.count, "more was read than there is room for")
        if added > 0 { count += added }
        return added
    }

    /// Drops the first `length` bytes and moves the rest to the front.
    package mutating func removeFirst(_ length: Int) {
        precondition(length >= 0 && length <= count, "more is dropped than there is")
        if length > 0, length < count {
            unsafe storage.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[length..<count]))
        }
        count -= length
    }

    fileprivate consuming func surrender() -> UnsafeMutableRawBufferPointer {
        let storage = unsafe self.storage
        discard self
        return unsafe storage
    }
}

/// The buffers of one event loop that nobody uses at the moment.
@safe package final class BufferPool {
    /// One TLS record of input.
    package static let bufferSize = 16_384
    /// Keeps a burst of connections from pinning more than 4 MiB for each loop afterwards.
    private static let maximumFree = 256

    private var free = unsafe [UnsafeMutableRawBufferPointer]()

    /// A pool without buffers.
    package init() {}

    deinit {
        while let storage = unsafe free.popLast() { unsafe storage.deallocate() }
    }

    /// A buffer without input, reused when there is one.
    package func take() -> IOBuffer {
        if let storage = unsafe free.popLast() { return unsafe IOBuffer(storage) }
        return unsafe IOBuffer(.allocate(byteCount: Self.bufferSize, alignment: 16))
    }

    /// Takes a buffer back.
    package func give(_ buffer: consuming IOBuffer) {
        if unsafe free.count < Self.maximumFree { unsafe free.append(buffer.surrender()) }
    }
}
