// ConnectionTable.swift - a loop's connections by number, with a generation per number, so that an event or delivery
// for a connection that is gone finds nothing. Numbers are reused; connections never move in memory.

@safe struct ConnectionTable: ~Copyable {
    private struct Place {
        var generation: UInt32 = 0
        var address: UInt = 0
    }
    private var places: [Place] = []
    private var free: [Int] = []
    private(set) var count = 0

    init() {}

    deinit {
        for place in places where place.address != 0 {
            guard let pointer = unsafe UnsafeMutablePointer<Connection>(bitPattern: place.address) else { continue }
            unsafe pointer.deinitialize(count: 1)
            unsafe pointer.deallocate()
        }
    }

    /// The token of the next connection: its number in the low half, its generation in the high half.
    mutating func reserve() -> UInt64 {
        let index: Int
        if let reused = free.popLast() {
            index = reused
        } else {
            index = places.count
            places.append(Place())
        }
        places[index].generation &+= 1
        return UInt64(places[index].generation) << 32 | UInt64(index)
    }

    mutating func insert(_ connection: consuming Connection, token: UInt64) {
        let pointer = UnsafeMutablePointer<Connection>.allocate(capacity: 1)
        unsafe pointer.initialize(to: connection)
        places[Int(token & 0xFFFF_FFFF)].address = UInt(bitPattern: pointer)
        count += 1
    }

    /// The connection, nil when it is gone.
    @unsafe func find(_ token: UInt64) -> UnsafeMutablePointer<Connection>? {
        let index = Int(token & 0xFFFF_FFFF)
        guard index < places.count, places[index].generation == UInt32(truncatingIfNeeded: token >> 32) else {
            return nil
        }
        return unsafe UnsafeMutablePointer(bitPattern: places[index].address)
    }

    mutating func remove(_ token: UInt64) {
        guard let pointer = unsafe find(token) else { return }
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
        let index = Int(token & 0xFFFF_FFFF)
        places[index].address = 0
        free.append(index)
        count -= 1
    }

    /// Gives back a reserved token that was never used.
    mutating func cancel(_ token: UInt64) { free.append(Int(token & 0xFFFF_FFFF)) }

    /// Tokens of all connections.
    var tokens: [UInt64] {
        var result: [UInt64] = []
        for (index, place) in places.enumerated() where place.address != 0 {
            result.append(UInt64(place.generation) << 32 | UInt64(index))
        }
        return result
    }
}
