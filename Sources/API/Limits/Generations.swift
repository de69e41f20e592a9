/// A table that forgets what was not asked for longest, in constant time and bounded memory.
///
/// A full young generation becomes the old one, and the old one is forgotten; what is used comes back into the young one.
struct Generations<Key: Hashable, Value> {
    private let capacity: Int
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]

    /// A table of at most `capacity` values.
    init(capacity: Int) {
        self.capacity = capacity
    }

    var count: Int { young.count + old.count }

    /// The value of a key, made when it is not known.
    mutating func value(_ key: Key, make: () -> Value) -> Value {
        if let value = young[key] { return value }
        let value = old.removeValue(forKey: key) ?? make()
        if young.count >= capacity / 2 {
            old = young
            young = [:]
        }
        young[key] = value
        return value
    }
}
