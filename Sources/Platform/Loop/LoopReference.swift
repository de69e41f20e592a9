/// A loop-confined object as seen from other threads: what is done with it happens on its loop, while it lives.
package struct LoopReference<Object: AnyObject>: @unchecked Sendable {
    private weak let object: Object?
    private let loop: EventLoop

    /// Refers weakly to an object of `loop`.
    package init(_ object: Object, _ loop: EventLoop) {
        self.object = object
        self.loop = loop
    }

    /// Runs `body` with the object on its loop, later, unless the object is gone.
    package func use(_ body: @escaping @Sendable (Object) -> Void) {
        loop.spawn {
            if let object { body(object) }
        }
    }
}
