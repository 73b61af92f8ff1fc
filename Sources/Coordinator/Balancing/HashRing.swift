// HashRing.swift - consistent hashing: every node has some hundred points on a ring of 32-bit hashes, and a session
// belongs to the node of the next point, so that a node that comes or goes moves only its own share. Each MD5 gives
// four points. The ring is cut into stretches by the upper bits of the hash, as many as its first nodes need, so that
// adding a point moves little. Nothing here takes long: a node is added by its own points (some ten microseconds), one
// that leaves is only marked, and `sweep` takes away the points of many such nodes in slices. `NodeIndex+Ring` decides
// when. Pure.
internal import Base

struct HashRing {
    private struct Point {
        let hash: UInt32
        let member: Int32
    }

    /// Points per stretch on average for the nodes that the ring is made for.
    private static let stretchCountMin = 16
    /// Beyond that many on average the ring is crowded.
    private static let stretchCountMax = 128
    /// A ring has at most 2 to the power of this many stretches: making them takes a fraction of a millisecond.
    private static let bitCountMax: UInt32 = 17
    /// Members that left are swept when there are as many as those that stay, and more than this.
    private static let leftCountMin = 64

    private var stretches: [[Point]]
    /// Upper bits of a hash that name its stretch.
    private let bitCount: UInt32
    private(set) var pointCount = 0
    /// Node numbers by member, -1 for those that left. A member's place is used again when its points are gone.
    private var numbers: [Int32] = []
    /// Members by node number, -1 for none.
    private var members: [Int32] = []
    private var free: [Int32] = []
    /// Members that left and whose points still stand; `sweeping` are those that the sweep under way is for.
    private var left: [Int32] = []
    private var sweeping: [Int32] = []
    private var sweepPlace: Int?

    var byteCount: Int {
        stretches.count * 40 + pointCount * 8 + (numbers.capacity + members.capacity) * 4
    }

    /// The place of a session on the ring.
    static func hash(_ session: Span<UInt8>) -> UInt32 { MD5(session).words[0] }

    /// An empty ring, made for so many nodes.
    init(nodeCount: Int, points: Int) {
        var bits: UInt32 = 0
        while bits < HashRing.bitCountMax, HashRing.stretchCountMin << Int(bits) < nodeCount * points { bits += 1 }
        bitCount = bits
        stretches = [[Point]](repeating: [], count: 1 << Int(bits))
    }

    private func stretch(_ hash: UInt32) -> Int { bitCount == 0 ? 0 : Int(hash >> (32 - bitCount)) }

    /// Whether another ring, made for the nodes that there are now, would be better.
    var isCrowded: Bool {
        bitCount < HashRing.bitCountMax && pointCount > stretches.count * HashRing.stretchCountMax
    }

    func contains(_ number: Int) -> Bool { number < members.count && members[number] >= 0 }

    // MARK: nodes

    /// Adds a node's points; the same name and count give the same points.
    mutating func add(_ number: Int, name: [UInt8], points: Int) {
        guard !contains(number) else { return }
        let member = free.popLast() ?? Int32(numbers.count)
        if Int(member) == numbers.count { numbers.append(-1) }
        numbers[Int(member)] = Int32(number)
        while members.count <= number { members.append(-1) }
        members[number] = member
        var text = ByteBuffer(capacity: name.count + 16)
        var left = points
        var part = 0
        while left > 0 {
            text.truncate(to: 0)
            text.append(name)
            text.append(UInt8(ascii: "-"))
            text.append(decimal: part)
            let digest = MD5(text.span)
            for lane in 0..<min(4, left) { insert(Point(hash: digest.words[lane], member: member)) }
            left -= 4
            part += 1
        }
    }

    /// The node leaves at once; its points are passed over until they are swept.
    mutating func remove(_ number: Int) {
        guard contains(number) else { return }
        let member = members[number]
        members[number] = -1
        numbers[Int(member)] = -1
        left.append(member)
    }

    private mutating func insert(_ point: Point) {
        let place = stretch(point.hash)
        var (low, high) = (0, stretches[place].count)
        while low < high {
            let middle = (low + high) / 2
            if comes(stretches[place][middle], before: point) { low = middle + 1 } else { high = middle }
        }
        stretches[place].insert(point, at: low)
        pointCount += 1
    }

    /// Of equal hashes the lower number comes first, whatever the order in which they came.
    private func comes(_ one: Point, before other: Point) -> Bool {
        (one.hash, numbers[Int(one.member)]) < (other.hash, numbers[Int(other.member)])
    }

    // MARK: sweeping

    /// Whether there is something to sweep.
    var needsSweep: Bool {
        sweepPlace != nil || (left.count > HashRing.leftCountMin && left.count * 2 > numbers.count - free.count)
    }

    /// Takes away points of nodes that left until all are gone (true) or `isOver`, which is asked every few stretches.
    mutating func sweep(_ isOver: () -> Bool) -> Bool {
        guard needsSweep else { return true }
        if sweepPlace == nil {
            swap(&sweeping, &left)
            sweepPlace = 0
        }
        let numbers = numbers
        while let place = sweepPlace, place < stretches.count {
            let before = stretches[place].count
            stretches[place].removeAll { numbers[Int($0.member)] < 0 }
            pointCount -= before - stretches[place].count
            sweepPlace = place + 1
            if place % 32 == 31 && isOver() { return false }
        }
        free += sweeping
        sweeping = []
        sweepPlace = nil
        return true
    }

    // MARK: looking up

    enum Answer: Equatable {
        case node(Int)
        case nobody
        /// As many points as were allowed were nobody's who is wanted.
        case tooFar
    }

    /// The node of the first point from `hash` on that `isWanted`, among the next `pointCountMax` points or so.
    func first(from hash: UInt32, pointCountMax: Int = .max, _ isWanted: (Int) -> Bool) -> Answer {
        guard pointCount > 0 else { return .nobody }
        let start = stretch(hash)
        var looked = 0
        for point in stretches[start] where point.hash >= hash {
            if let number = node(point, isWanted) { return .node(number) }
            looked += 1
        }
        var place = start
        repeat {
            if looked > pointCountMax { return .tooFar }
            place = place + 1 == stretches.count ? 0 : place + 1
            // The start again, at the end: what lies before `hash` in it.
            for point in stretches[place] {
                if let number = node(point, isWanted) { return .node(number) }
            }
            looked += stretches[place].count
        } while place != start
        return .nobody
    }

    private func node(_ point: Point, _ isWanted: (Int) -> Bool) -> Int? {
        let number = numbers[Int(point.member)]
        return number >= 0 && isWanted(Int(number)) ? Int(number) : nil
    }
}
