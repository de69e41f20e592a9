/// Carries a loop-confined value through a `@Sendable` closure; whoever opens it is on the value's loop.
struct LoopBox<Value>: @unchecked Sendable {
    let value: Value
}
