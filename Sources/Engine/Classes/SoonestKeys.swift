// SoonestKeys.swift - volatile-ttl for one class: the keys that expire soonest of all that were sampled and have not
// gone. Each eviction looks at a few keys more, so what goes is the soonest of far more keys than it looked at; a class
// whose keys are no more than a sample gives them up in exact order. What became of a key meanwhile is the caller's
// matter. Cost: 256 bytes in a class that uses it. Pure; under the turn.

struct SoonestKeys {
    static let countMax = 16

    struct Key: Equatable {
        let hash: UInt64
        let expiry: Int64
    }

    /// The soonest last.
    private(set) var keys: [Key] = []

    /// A key was sampled.
    mutating func offer(_ hash: UInt64, expiry: Int64) {
        if let known = keys.firstIndex(where: { $0.hash == hash }) { keys.remove(at: known) }
        if keys.count == SoonestKeys.countMax {
            guard expiry < keys[0].expiry else { return }
            keys.removeFirst()
        }
        let place = keys.firstIndex { $0.expiry <= expiry } ?? keys.count
        keys.insert(Key(hash: hash, expiry: expiry), at: place)
    }

    /// Takes the soonest away.
    mutating func take() -> Key? { keys.popLast() }
}
