// SortedRun.swift - a sorted set against a sorted array, in both of its forms: the pairs of a listpack, and table and
// tree, into which it grows at a limit of the tape's.
internal import Base
internal import Structures

enum SortedRun {
    private struct Row: Equatable {
        var score: Double
        var member: [UInt8]

        func precedes(_ other: Row) -> Bool {
            score != other.score ? score < other.score : member.lexicographicallyPrecedes(other.member)
        }
    }

    private static let checkStep = 16
    /// Members that a tape starts with, when it wants a tree of several levels.
    private static let initialCount = 1500

    static func run(_ tape: inout Tape) {
        let limits = SortedSetLimits(countMax: [0, 4, 128, 100_000][tape.below(4)], memberByteCountMax: 64)
        var draft = SortedSetDraft(limits)
        var model: [Row] = []
        if tape.below(8) == 0 {
            model = (0..<initialCount).map { Row(score: Double($0 / 3), member: Array("initial:\($0 + 10_000)".utf8)) }
            for row in model {
                let member = row.member
                draft.set(member.span, score: row.score)
            }
        }
        var steps = 0
        while !tape.isEnded {
            edit(&draft, &model, &tape)
            steps += 1
            if steps % checkStep == 0 { check(&draft, model, limits, &tape) }
        }
        check(&draft, model, limits, &tape)
    }

    private static func edit(_ draft: inout SortedSetDraft, _ model: inout [Row], _ tape: inout Tape) {
        switch tape.below(8) {
        case 0 where !model.isEmpty:
            let low = tape.below(model.count)
            let ranks = low..<min(model.count, low + tape.below(60))
            draft.removeRanks(ranks)
            model.removeSubrange(ranks)
        case 1 where !model.isEmpty:
            let member = model[tape.below(model.count)].member
            remove(member, &draft, &model)
        case 2: remove(tape.element(), &draft, &model)
        case 3 where !model.isEmpty:
            let member = model[tape.below(model.count)].member
            set(member, tape.score(), &draft, &model)
        default:
            let member = tape.element()
            set(member, tape.score(), &draft, &model)
        }
    }

    private static func set(_ member: [UInt8], _ score: Double, _ draft: inout SortedSetDraft, _ model: inout [Row]) {
        draft.set(member.span, score: score)
        if let index = model.firstIndex(where: { $0.member == member }) {
            // Equal scores are left alone, minus zero and zero among them.
            if model[index].score == score { return }
            model.remove(at: index)
        }
        let row = Row(score: score, member: member)
        model.insert(row, at: model.firstIndex { row.precedes($0) } ?? model.count)
    }

    private static func remove(_ member: [UInt8], _ draft: inout SortedSetDraft, _ model: inout [Row]) {
        let place = draft.place(of: member.span)
        let index = model.firstIndex { $0.member == member }
        precondition(place.score == index.map { model[$0].score }, "a draft knows its members' scores")
        guard let index else { return }
        draft.remove(at: place)
        model.remove(at: index)
    }

    /// The draft's content is taken out for the questions and put back.
    private static func check(
        _ draft: inout SortedSetDraft, _ model: [Row], _ limits: SortedSetLimits, _ tape: inout Tape
    ) {
        var taken = SortedSetDraft(limits)
        swap(&taken, &draft)
        if taken.isLarge {
            let set = taken.takeLarge()
            if let fault = set.structuralFault() { preconditionFailure(fault) }
            unsafe withUnsafePointer(to: set) { ask(unsafe SortedSetView(large: $0), model, &tape) }
            draft = SortedSetDraft(large: set, limits)
        } else {
            let pairs = taken.takePairs()
            ask(pairs, model, &tape)
            draft = SortedSetDraft(pairs: pairs, limits)
        }
    }

    private static func ask(_ pairs: borrowing Listpack, _ model: [Row], _ tape: inout Tape) {
        precondition(Listpack.validate(pairs.span), "the pairs are a listpack")
        ask(SortedSetView(pairs: pairs.view), model, &tape)
    }

    private static func ask(_ set: borrowing SortedSetView, _ model: [Row], _ tape: inout Tape) {
        precondition(rows(set, set.whole, false) == model, "a set keeps its order")
        precondition(rows(set, set.whole, true) == model.reversed(), "a set keeps its order backward")
        let wanted = tape.element()
        let rank = model.firstIndex { $0.member == wanted }
        precondition(set.rank(of: wanted.span)?.rank == rank, "a member has its rank")
        let low = ScoreBound(tape.score(), isExclusive: tape.below(2) == 0)
        let high = ScoreBound(tape.score(), isExclusive: tape.below(2) == 0)
        let within = model.filter { low.admitsAsMinimum($0.score) && high.admitsAsMaximum($0.score) }
        precondition(rows(set, set.stretch(from: low, to: high), false) == within, "a range holds what is within")
    }

    private static func rows(
        _ set: borrowing SortedSetView, _ stretch: SortedStretch, _ isReversed: Bool
    ) -> [Row] {
        var rows: [Row] = []
        set.forEach(in: stretch, isReversed: isReversed) { rows.append(Row(score: $1, member: text($0))) }
        return rows
    }
}
