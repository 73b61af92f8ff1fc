// SharedNames.swift - names that many records mention (nodes, workers, users, providers, regions), each kept once and
// known by a small number for as long as somebody holds it. Pure; under the turn. A lookup allocates nothing.
internal import Base
internal import Engine

package struct SharedNames {
    private var names = NameTable()
    /// Holders by number.
    private var holders: [Int32] = []

    package init() {}

    package var count: Int { names.count }

    /// The number of a name that somebody holds.
    package func find(_ name: Span<UInt8>) -> Int32? {
        names.find(name, hash: NameTable.hash(name)).map { Int32($0) }
    }

    /// The name's number, held once more.
    package mutating func hold(_ name: Span<UInt8>) -> Int32 {
        let (number, isNew) = names.insert(name, hash: NameTable.hash(name))
        while holders.count <= number { holders.append(0) }
        holders[number] = isNew ? 1 : holders[number] + 1
        return Int32(number)
    }

    /// Holds a number that somebody holds already.
    package mutating func holdAgain(_ number: Int32) {
        if number >= 0 { holders[Int(number)] += 1 }
    }

    /// Lets go of a number; of nothing when it is negative.
    package mutating func release(_ number: Int32) {
        guard number >= 0 else { return }
        let index = Int(number)
        precondition(holders[index] > 0, "a name is released as often as it was held")
        holders[index] -= 1
        guard holders[index] == 0 else { return }
        names.remove(index)
        if names.isEmpty { holders = [] }
    }

    package subscript(number: Int32) -> [UInt8] { names.name(Int(number)) }
}
