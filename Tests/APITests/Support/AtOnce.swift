import HTTP
import Platform
import Testing

extension APIWorld {
    /// Sends many requests before any of them is answered, and gives the answers in the order of their numbers.
    func atOnce(_ count: Int, _ send: @escaping (Int) async throws -> APIAnswer) async throws -> [APIAnswer] {
        var answers = [APIAnswer?](repeating: nil, count: count)
        var left = count
        let done = LoopCondition()
        for number in 0..<count {
            loop.spawnLocal {
                do { answers[number] = try await send(number) } catch { Issue.record("request \(number): \(error)") }
                left -= 1
                done.signalAll()
            }
        }
        while left > 0 { await done.wait() }
        return try answers.map { try #require($0) }
    }
}
