// AttributeTable.swift - the values of one attribute of nodes (regions, say), each with a small number, and how many
// nodes have it; a value that nobody has any more gives its number back. Pure.
internal import Base
internal import Engine

struct AttributeTable {
    private var names = NameTable()
    private var counts: [Int] = []

    /// The number of a value that some node has.
    func find(_ value: Span<UInt8>) -> Int32? { names.find(value, hash: NameTable.hash(value)).map { Int32($0) } }

    func name(_ number: Int32) -> [UInt8] { names.name(Int(number)) }

    /// One more node has the value; -1 for the empty one, which is none.
    mutating func retain(_ value: Span<UInt8>) -> Int32 {
        if value.isEmpty { return -1 }
        let (number, _) = names.insert(value, hash: NameTable.hash(value))
        while counts.count <= number { counts.append(0) }
        counts[number] += 1
        return Int32(number)
    }

    /// One node fewer has the value.
    mutating func release(_ number: Int32) {
        guard number >= 0 else { return }
        counts[Int(number)] -= 1
        if counts[Int(number)] == 0 { names.remove(Int(number)) }
    }
}
