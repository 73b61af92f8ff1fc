// ListRun.swift - a quicklist against an array: every edit, under node limits and compression depths of the tape's.
internal import Base
internal import Structures

enum ListRun {
    /// Steps between two comparisons of everything.
    private static let checkStep = 16
    /// Lists are cut to this, so that long tapes cost no quadratic time.
    private static let countMax = 400

    static func run(_ tape: inout Tape) {
        let fills = [-2, -1, 1, 3, 16, 128, 0, -5]
        var list = Quicklist(limits: ListLimits(fill: fills[tape.below(fills.count)]), compressDepth: tape.below(4))
        var model: [[UInt8]] = []
        var steps = 0
        while !tape.isEnded {
            edit(&list, &model, &tape)
            if model.count > countMax {
                let gone = list.removeRange(index: countMax / 2, count: .max)
                precondition(gone == model.count - countMax / 2, "what lies behind an index goes")
                model.removeSubrange((countMax / 2)...)
            }
            steps += 1
            if steps % checkStep == 0 { check(list, model) }
        }
        check(list, model)
        let copy = list.duplicate()
        check(copy, model)
        list.removeAll()
        check(list, [])
        precondition(list.allocatedBytes == 0, "an emptied list holds nothing")
    }

    private static func check(_ list: borrowing Quicklist, _ model: [[UInt8]]) {
        if let fault = list.firstInconsistency() { preconditionFailure(fault) }
        precondition(list.count == model.count, "a list counts its elements")
        for isReversed in [false, true] {
            var found: [[UInt8]] = []
            var cursor = list.cursor(from: isReversed ? -1 : 0, isReversed: isReversed)
            while let element = cursor.next() { found.append(text(element)) }
            precondition(found == (isReversed ? model.reversed() : model), "a list keeps its order")
        }
    }

    private static func edit(_ list: inout Quicklist, _ model: inout [[UInt8]], _ tape: inout Tape) {
        let index = model.isEmpty ? 0 : tape.below(model.count)
        let signed = tape.below(2) == 0 ? index : index - model.count
        switch tape.below(9) {
        case 0...1:
            let element = tape.element()
            list.append(element.span)
            model.append(element)
        case 2:
            let element = tape.element()
            list.prepend(element.span)
            model.insert(element, at: 0)
        case 3:
            var popped: [UInt8]?
            _ = list.popFirst { popped = text($0) }
            precondition(popped == model.first, "the first is popped")
            if !model.isEmpty { model.removeFirst() }
        case 4:
            var popped: [UInt8]?
            _ = list.popLast { popped = text($0) }
            precondition(popped == model.popLast(), "the last is popped")
        case 5:
            let element = tape.element()
            let isInserted = list.insert(element.span, at: index)
            precondition(isInserted, "an element is inserted within the list")
            model.insert(element, at: index)
        case 6 where !model.isEmpty:
            let element = tape.element()
            let isReplaced = list.replace(at: signed, with: element.span)
            precondition(isReplaced, "an element of the list is replaced")
            model[index] = element
        case 7 where !model.isEmpty:
            let limit = tape.below(12)
            let removed = list.removeRange(index: signed, count: limit)
            precondition(removed == model[index...].prefix(limit).count, "a range is removed")
            model.removeSubrange(index..<index + removed)
        case 8 where !model.isEmpty:
            let needle = model[index]
            removeMatches(&list, &model, of: needle, &tape)
        default: list.setOptions(limits: ListLimits(fill: tape.below(20) - 5), compressDepth: tape.below(4))
        }
    }

    private static func removeMatches(
        _ list: inout Quicklist, _ model: inout [[UInt8]], of needle: [UInt8], _ tape: inout Tape
    ) {
        let limit = tape.below(4)
        let fromTail = tape.below(2) == 0
        let removed = list.removeMatches(of: needle.span, fromTail: fromTail, limit: limit)
        let matches = model.indices.filter { model[$0] == needle }
        let gone = fromTail ? matches.suffix(limit) : matches.prefix(limit)
        precondition(removed == gone.count, "so many matches go")
        for index in gone.reversed() { model.remove(at: index) }
    }
}
