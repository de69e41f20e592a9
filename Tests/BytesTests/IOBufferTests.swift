import Bytes
import Testing

struct IOBufferTests {
    private func fill(_ buffer: inout IOBuffer, _ bytes: [UInt8]) -> Int {
        unsafe buffer.fill { free in
            let count = min(free.count, bytes.count)
            unsafe free.copyBytes(from: bytes.prefix(count))
            return count
        }
    }

    private func contents(_ buffer: borrowing IOBuffer) -> [UInt8] {
        let span = buffer.bytes
        return span.indices.map { span[$0] }
    }

    @Test func `input is appended, dropped from the front and bounded by the block`() {
        let pool = BufferPool()
        var buffer = pool.take()
        #expect(fill(&buffer, [1, 2, 3]) == 3)
        #expect(fill(&buffer, [4, 5]) == 2)
        #expect(contents(buffer) == [1, 2, 3, 4, 5])
        buffer.removeFirst(2)
        let rest = contents(buffer)
        #expect(rest == [3, 4, 5])
        #expect(fill(&buffer, [UInt8](repeating: 9, count: 20_000)) == BufferPool.bufferSize - 3)
        let isFull = buffer.isFull
        #expect(isFull)
        #expect(fill(&buffer, [1]) == 0)
        buffer.removeFirst(buffer.count)
        #expect(contents(buffer) == [])
        pool.give(buffer)
    }

    @Test(arguments: [0, -1])
    func `a read that failed adds nothing`(outcome: Int) {
        let pool = BufferPool()
        var buffer = pool.take()
        #expect(fill(&buffer, [7]) == 1)
        let added = unsafe buffer.fill { _ in outcome }
        #expect(added == outcome)
        #expect(contents(buffer) == [7])
    }

    @Test func `a buffer given back shows its next owner nothing`() {
        let pool = BufferPool()
        var first = pool.take()
        #expect(fill(&first, [1, 2, 3]) == 3)
        pool.give(first)
        let second = pool.take()
        #expect(contents(second) == [])
        pool.give(second)
    }

    @Test func `more buffers than the pool keeps can be taken and given`() {
        let pool = BufferPool()
        hold(300, of: pool)
        let buffer = pool.take()
        let capacity = buffer.capacity
        #expect(capacity == BufferPool.bufferSize)
    }

    private func hold(_ count: Int, of pool: BufferPool) {
        guard count > 0 else { return }
        let buffer = pool.take()
        hold(count - 1, of: pool)
        pool.give(buffer)
    }
}
