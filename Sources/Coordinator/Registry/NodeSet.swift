// NodeSet.swift - a set of node numbers in ascending order: a sorted list while it is small, a bit per number beyond
// that, so that thousands of small sets and a few of a hundred thousand nodes both take little. Pure.

struct NodeSet {
    /// Members up to which a list is used.
    private static let listCountMax = 128

    private var list: [Int32] = []
    private var words: [UInt64] = []
    private(set) var count = 0

    var byteCount: Int { list.capacity * 4 + words.capacity * 8 }

    /// False when it was in.
    @discardableResult
    mutating func insert(_ number: Int) -> Bool {
        if words.isEmpty {
            let place = position(of: number)
            if place < list.count && list[place] == number { return false }
            count += 1
            if list.count < NodeSet.listCountMax {
                list.insert(Int32(number), at: place)
                return true
            }
            for member in list { set(Int(member)) }
            list = []
            set(number)
            return true
        }
        if contains(number) { return false }
        count += 1
        set(number)
        return true
    }

    /// False when it was not in.
    @discardableResult
    mutating func remove(_ number: Int) -> Bool {
        if words.isEmpty {
            let place = position(of: number)
            guard place < list.count, list[place] == number else { return false }
            list.remove(at: place)
        } else {
            guard contains(number) else { return false }
            words[number >> 6] &= ~(1 << UInt64(number & 63))
        }
        count -= 1
        if count == 0 { words = [] }
        return true
    }

    func contains(_ number: Int) -> Bool {
        if words.isEmpty {
            let place = position(of: number)
            return place < list.count && list[place] == number
        }
        return number >> 6 < words.count && words[number >> 6] >> UInt64(number & 63) & 1 != 0
    }

    /// The smallest member that is not below `number`.
    func first(from number: Int) -> Int? {
        if words.isEmpty {
            let place = position(of: number)
            return place < list.count ? Int(list[place]) : nil
        }
        var index = number >> 6
        guard index < words.count else { return nil }
        var word = words[index] & (~0 << UInt64(number & 63))
        while word == 0 {
            index += 1
            if index == words.count { return nil }
            word = words[index]
        }
        return index << 6 + word.trailingZeroBitCount
    }

    private mutating func set(_ number: Int) {
        while words.count <= number >> 6 { words.append(0) }
        words[number >> 6] |= 1 << UInt64(number & 63)
    }

    /// Where `number` stands in the list, or would stand.
    private func position(of number: Int) -> Int {
        var (low, high) = (0, list.count)
        while low < high {
            let middle = (low + high) / 2
            if list[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
