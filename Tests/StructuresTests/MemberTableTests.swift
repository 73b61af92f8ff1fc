// MemberTableTests.swift - the table of members against a dictionary, with every way to change a member, and its byte
// account against a recount.
internal import Base
internal import CLinux
internal import Structures
internal import Testing

@Suite("MemberTable")
struct MemberTableTests {
    private struct Row: Equatable {
        var value: [UInt8]
        var expiry: Int64?
    }

    @Test("random changes give what a dictionary gives", arguments: [11, 12, 13] as [UInt64])
    func model(seed: UInt64) {
        var dice = SeededRandom(seed: seed)
        var table = MemberTable()
        var model: [[UInt8]: Row] = [:]
        for _ in 0..<6000 {
            let member = Array("member:\(dice.below(700))".utf8)
            let hash = table.hash(member.span)
            let value = dice.bytes(count: dice.below(dice.below(50) == 0 ? 70_000 : 40))
            let expiry: Int64? = dice.below(3) == 0 ? Int64(dice.below(1_000_000)) : nil
            switch (table.find(member.span, hash: hash), dice.below(4)) {
            case (nil, _):
                table.insert(member.span, hash: hash, value: value.span, expiry: expiry)
                #expect(model.updateValue(Row(value: value, expiry: expiry), forKey: member) == nil)
            case (let slot?, 0):
                table.remove(slot, hash: hash)
                #expect(model.removeValue(forKey: member) != nil)
            case (let slot?, 1):
                table.setExpiry(slot, to: expiry)
                model[member]?.expiry = expiry
            case (let slot?, _):
                table.setValue(slot, value.span, expiry: expiry)
                model[member] = Row(value: value, expiry: expiry)
            }
            #expect(table.count == model.count)
        }
        let copy = table.duplicate()
        check(table, model)
        check(copy, model)
    }

    private func check(_ table: borrowing MemberTable, _ model: [[UInt8]: Row]) {
        var seen: [[UInt8]: Row] = [:]
        var members = 0
        table.forEach { entry in
            seen[bytes(entry.key)] = Row(
                value: bytes(entry.value), expiry: entry.hasExpiry ? entry.expiryMilliseconds : nil)
            members += entry.byteCount
        }
        #expect(seen == model)
        #expect(table.expiryCount == model.values.count { $0.expiry != nil })
        #expect(table.allocatedBytes >= members + table.table.allocatedByteCount)
    }

    @Test("an emptied table counts no bytes of members")
    func emptied() {
        var table = MemberTable()
        for index in 0..<500 {
            let member = Array("\(index)".utf8)
            table.insert(member.span, hash: table.hash(member.span), word: UInt64(index))
        }
        for index in 0..<500 {
            let wasThere = table.remove(Array("\(index)".utf8).span)
            #expect(wasThere)
        }
        #expect(table.count == 0)
        #expect(table.allocatedBytes == table.table.allocatedByteCount)
        let isGone = !table.remove(Array("1".utf8).span)
        #expect(isGone)
    }

    private func bytes(_ span: Span<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        for index in span.indices { out.append(span[index]) }
        return out
    }
}
