// NameTable.swift - names of channels and patterns, each with a small number by which everything else knows it. An
// open-addressed table of numbers with 32 bits of the name's hash beside each, so that a name which is not there costs
// one cache line and no comparison. Numbers are dense and used again. Lookups allocate nothing. Pure; under the turn.

package struct NameTable {
    private struct Place {
        var tag: UInt32 = 0
        /// Number of the name, -1 where nothing lies.
        var number: Int32 = -1
    }

    /// A power of two of places, at most half of them taken; linear probing.
    private var places: [Place] = []
    /// Both by number; a number that is free has an empty name.
    private var hashes: [UInt64] = []
    private var names: [[UInt8]] = []
    private var freeNumbers: [Int32] = []
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { @inline(__always) get { count == 0 } }

    /// Every number is below this.
    package var numberLimit: Int { names.count }

    package static func hash(_ name: Span<UInt8>) -> UInt64 { KeyHash.hash(name, seed: KeyHash.seed) }

    package func name(_ number: Int) -> [UInt8] { names[number] }

    package func find(_ name: Span<UInt8>, hash: UInt64) -> Int? {
        guard count > 0 else { return nil }
        let mask = places.count &- 1
        let tag = UInt32(truncatingIfNeeded: hash >> 32)
        var index = Int(truncatingIfNeeded: hash) & mask
        while places[index].number >= 0 {
            if places[index].tag == tag {
                let number = Int(places[index].number)
                if hashes[number] == hash && spells(number, name) { return number }
            }
            index = (index &+ 1) & mask
        }
        return nil
    }

    private func spells(_ number: Int, _ name: Span<UInt8>) -> Bool {
        let own = names[number]
        return own.span.equals(name)
    }

    /// The name's number; a new one when the name is new.
    package mutating func insert(_ name: Span<UInt8>, hash: UInt64) -> (number: Int, isNew: Bool) {
        if let number = find(name, hash: hash) { return (number, false) }
        if (count + 1) * 2 > places.count { rebuild(placeCount: max(16, places.count * 2)) }
        let number: Int
        if let free = freeNumbers.popLast() {
            number = Int(free)
            names[number] = name.array
            hashes[number] = hash
        } else {
            precondition(names.count < Int(Int32.max), "there are fewer names than 32 bits can number")
            number = names.count
            names.append(name.array)
            hashes.append(hash)
        }
        put(number, hash)
        count += 1
        return (number, true)
    }

    /// Forgets a name; its number will be another name's.
    package mutating func remove(_ number: Int) {
        let mask = places.count - 1
        var index = Int(truncatingIfNeeded: hashes[number]) & mask
        while Int(places[index].number) != number {
            precondition(places[index].number >= 0, "only a name that is there can be removed")
            index = (index + 1) & mask
        }
        closeGap(at: index)
        count -= 1
        names[number] = []
        if count == 0 {
            self = NameTable()
        } else {
            freeNumbers.append(Int32(number))
            if places.count > 64 && count * 16 < places.count { rebuild(placeCount: places.count / 4) }
        }
    }

    /// Moves later names of the same run up, so that no search ends too early and no mark stays behind.
    private mutating func closeGap(at start: Int) {
        let mask = places.count - 1
        var gap = start
        var index = (start + 1) & mask
        while places[index].number >= 0 {
            let home = Int(truncatingIfNeeded: hashes[Int(places[index].number)]) & mask
            if (index - home) & mask >= (index - gap) & mask {
                places[gap] = places[index]
                gap = index
            }
            index = (index + 1) & mask
        }
        places[gap] = Place()
    }

    private mutating func rebuild(placeCount: Int) {
        let old = places
        places = [Place](repeating: Place(), count: placeCount)
        for place in old where place.number >= 0 { put(Int(place.number), hashes[Int(place.number)]) }
    }

    private mutating func put(_ number: Int, _ hash: UInt64) {
        let mask = places.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while places[index].number >= 0 { index = (index + 1) & mask }
        places[index] = Place(tag: UInt32(truncatingIfNeeded: hash >> 32), number: Int32(number))
    }

    /// Calls `body` with every number and name, in order of the numbers.
    package func forEach(_ body: (Int, [UInt8]) -> Void) {
        let free = Set(freeNumbers)
        for number in names.indices where !free.contains(Int32(number)) { body(number, names[number]) }
    }
}
