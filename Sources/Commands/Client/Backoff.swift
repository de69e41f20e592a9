/// Growing pauses between tries, with some chance in them so that many clients do not come back at once.
struct Backoff {
    private var pause: Duration
    private let first: Duration
    private let longest: Duration

    init(first: Duration = .milliseconds(250), longest: Duration = .seconds(5)) {
        self.first = first
        self.longest = longest
        pause = first
    }

    /// The pause before the next try: between half and all of a length that doubles.
    mutating func next() -> Duration {
        defer { pause = min(pause * 2, longest) }
        return pause * Double.random(in: 0.5...1)
    }

    /// Begins anew after a success.
    mutating func reset() {
        pause = first
    }
}
