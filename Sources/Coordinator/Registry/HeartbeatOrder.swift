// HeartbeatOrder.swift - nodes by the time of their last heartbeat, the oldest first: a list threaded through arrays.
// A heartbeat is the newest of all and goes to the end at once; a time from elsewhere (a loaded file, somebody's HSET)
// is walked to its place, and when that is far the list is sorted before its next use. Pure.

struct HeartbeatOrder {
    private static let none: Int32 = -1
    /// Steps that a walk may take before sorting is cheaper.
    private static let stepCountMax = 64

    private var times: [Int64] = []
    private var next: [Int32] = []
    private var previous: [Int32] = []
    private var isIn: [Bool] = []
    private var head = none
    private var tail = none
    private var isSorted = true

    var byteCount: Int { times.capacity * 8 + next.capacity * 8 + isIn.capacity }

    mutating func set(_ number: Int, _ time: Int64) {
        while times.count <= number {
            times.append(0)
            next.append(HeartbeatOrder.none)
            previous.append(HeartbeatOrder.none)
            isIn.append(false)
        }
        if isIn[number] {
            if times[number] == time { return }
            unlink(number)
        }
        isIn[number] = true
        times[number] = time
        var behind = tail
        if isSorted {
            var steps = 0
            while behind != HeartbeatOrder.none, times[Int(behind)] > time {
                behind = previous[Int(behind)]
                steps += 1
                if steps == HeartbeatOrder.stepCountMax {
                    isSorted = false
                    behind = tail
                    break
                }
            }
        }
        link(number, behind: behind)
    }

    mutating func remove(_ number: Int) {
        guard number < isIn.count, isIn[number] else { return }
        unlink(number)
        isIn[number] = false
    }

    /// Visits numbers from the oldest on while `visit` answers true.
    mutating func forEachOldest(_ visit: (Int, Int64) -> Bool) {
        sortIfNeeded()
        var at = head
        while at != HeartbeatOrder.none, visit(Int(at), times[Int(at)]) { at = next[Int(at)] }
    }

    /// Visits numbers from the newest on while `visit` answers true.
    mutating func forEachNewest(_ visit: (Int, Int64) -> Bool) {
        sortIfNeeded()
        var at = tail
        while at != HeartbeatOrder.none, visit(Int(at), times[Int(at)]) { at = previous[Int(at)] }
    }

    private mutating func link(_ number: Int, behind: Int32) {
        previous[number] = behind
        let after = behind == HeartbeatOrder.none ? head : next[Int(behind)]
        next[number] = after
        if behind == HeartbeatOrder.none { head = Int32(number) } else { next[Int(behind)] = Int32(number) }
        if after == HeartbeatOrder.none { tail = Int32(number) } else { previous[Int(after)] = Int32(number) }
    }

    private mutating func unlink(_ number: Int) {
        let (before, after) = (previous[number], next[number])
        if before == HeartbeatOrder.none { head = after } else { next[Int(before)] = after }
        if after == HeartbeatOrder.none { tail = before } else { previous[Int(after)] = before }
    }

    private mutating func sortIfNeeded() {
        guard !isSorted else { return }
        isSorted = true
        let members = isIn.indices.filter { isIn[$0] }.sorted { (times[$0], $0) < (times[$1], $1) }
        head = HeartbeatOrder.none
        tail = HeartbeatOrder.none
        for number in members { link(number, behind: tail) }
    }
}
