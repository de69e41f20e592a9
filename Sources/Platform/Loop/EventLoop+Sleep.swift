extension EventLoop {
    /// Suspends the task for a time; returns early when the task is cancelled or the loop stops.
    package func sleep(_ duration: Duration) async {
        precondition(isOnLoop, "sleep off the loop")
        let state = SleepState()
        let box = LoopBox(value: state)
        await withTaskCancellationHandler {
            unsafe await withUnsafeContinuation { continuation in
                if state.isCancelled || isDraining { return unsafe continuation.resume() }
                unsafe state.continuation = continuation
                state.timer = schedule(after: duration) { state.resume() }
            }
        } onCancel: {
            // Comes on the canceller's thread, maybe before the continuation is stored.
            execute { box.value.cancel() }
        }
    }
}

@safe private final class SleepState {
    var continuation: UnsafeContinuation<Void, Never>?
    var timer: LoopTimer?
    var isCancelled = false

    func cancel() {
        isCancelled = true
        timer?.cancel()
        resume()
    }

    func resume() {
        let continuation = unsafe self.continuation
        unsafe self.continuation = nil
        timer = nil
        unsafe continuation?.resume()
    }
}
