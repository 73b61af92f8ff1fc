// HashRing.swift - consistent hashing: every node has some hundred points on a ring of 32-bit hashes, and a session
// belongs to the node of the next point, so that a node that comes or goes moves only its own share. Each MD5 gives
// four points. The ring is cut into short stretches by the upper bits, so that adding a node moves little. Pure.
internal import Base

struct HashRing {
    private struct Point {
        let hash: UInt32
        let number: Int32
    }

    /// Points per stretch on average, beyond which stretches are halved.
    private static let stretchCountMax = 16

    private var stretches: [[Point]]
    /// Upper bits of a hash that name its stretch.
    private var bitCount: UInt32 = 0
    private(set) var pointCount = 0

    var byteCount: Int { stretches.count * 40 + pointCount * 8 }

    /// The place of a session on the ring.
    static func hash(_ session: Span<UInt8>) -> UInt32 { MD5(session).words[0] }

    private func stretch(_ hash: UInt32) -> Int { bitCount == 0 ? 0 : Int(hash >> (32 - bitCount)) }

    /// A ring without nodes.
    init() { stretches = [[]] }

    /// A ring of nodes by number, made at once: points are sorted into their stretches by counting, which touches
    /// memory a few times where adding one by one would jump about it for each point.
    init(_ nodes: [(number: Int, name: [UInt8])], points: Int) {
        stretches = []
        while (HashRing.stretchCountMax << Int(bitCount)) < nodes.count * points { bitCount += 2 }
        var all: [Point] = []
        all.reserveCapacity(nodes.count * points)
        for node in nodes {
            HashRing.forEachPoint(node.name, points) { all.append(Point(hash: $0, number: Int32(node.number))) }
        }
        pointCount = all.count
        var ends = [Int32](repeating: 0, count: 1 << Int(bitCount))
        for point in all { ends[stretch(point.hash)] += 1 }
        for index in 1..<max(1, ends.count) { ends[index] += ends[index - 1] }
        var sorted = all
        // From the last to the first, so that each end becomes the stretch's start.
        for point in all.reversed() {
            let place = stretch(point.hash)
            ends[place] -= 1
            sorted[Int(ends[place])] = point
        }
        stretches.reserveCapacity(ends.count)
        for index in ends.indices {
            let end = index + 1 < ends.count ? Int(ends[index + 1]) : sorted.count
            var stretch = Array(sorted[Int(ends[index])..<end])
            stretch.sort { ($0.hash, $0.number) < ($1.hash, $1.number) }
            stretches.append(stretch)
        }
    }

    /// Adds or removes a node's points; the same name and count give the same points.
    mutating func add(_ number: Int, name: [UInt8], points: Int) {
        HashRing.forEachPoint(name, points) { hash in insert(Point(hash: hash, number: Int32(number))) }
    }

    mutating func remove(_ number: Int, name: [UInt8], points: Int) {
        HashRing.forEachPoint(name, points) { hash in
            let place = stretch(hash)
            guard let index = stretches[place].firstIndex(where: { $0.hash == hash && $0.number == number }) else {
                return
            }
            stretches[place].remove(at: index)
            pointCount -= 1
        }
    }

    private static func forEachPoint(_ name: [UInt8], _ points: Int, _ body: (UInt32) -> Void) {
        var text = ByteBuffer(capacity: name.count + 16)
        var left = points
        var part = 0
        while left > 0 {
            text.truncate(to: 0)
            text.append(name)
            text.append(UInt8(ascii: "-"))
            text.append(decimal: part)
            let digest = MD5(text.span)
            for lane in 0..<min(4, left) { body(digest.words[lane]) }
            left -= 4
            part += 1
        }
    }

    private mutating func insert(_ point: Point) {
        if pointCount >= stretches.count * HashRing.stretchCountMax { split() }
        let place = stretch(point.hash)
        var index = stretches[place].count
        // Of equal hashes the lower number comes first, whatever the order in which they came.
        while index > 0 {
            let other = stretches[place][index - 1]
            if (other.hash, other.number) < (point.hash, point.number) { break }
            index -= 1
        }
        stretches[place].insert(point, at: index)
        pointCount += 1
    }

    private mutating func split() {
        bitCount += 2
        var finer = [[Point]](repeating: [], count: 1 << Int(bitCount))
        for stretch in stretches {
            for point in stretch { finer[Int(point.hash >> (32 - bitCount))].append(point) }
        }
        stretches = finer
    }

    /// The node of the first point from `hash` on that `isWanted`; nil when none is.
    func first(from hash: UInt32, _ isWanted: (Int) -> Bool) -> Int? {
        guard pointCount > 0 else { return nil }
        let start = stretch(hash)
        for point in stretches[start] where point.hash >= hash && isWanted(Int(point.number)) {
            return Int(point.number)
        }
        var place = start
        repeat {
            place = place + 1 == stretches.count ? 0 : place + 1
            // The start again, at the end: what lies before `hash` in it.
            for point in stretches[place] where isWanted(Int(point.number)) { return Int(point.number) }
        } while place != start
        return nil
    }
}
