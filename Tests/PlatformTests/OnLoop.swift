import Platform

/// Starts a loop for one test, runs the body on it and stops it again.
func onLoop<Value: Sendable>(_ body: @escaping @Sendable (EventLoop) async throws -> Value) async throws -> Value {
    let loop = try EventLoop.start(name: "test-loop")
    defer { loop.stop() }
    return try await loop.run { try await body(loop) }
}
