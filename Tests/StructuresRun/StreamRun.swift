// StreamRun.swift - a stream against an array of entries and a dictionary of deliveries: adding, deleting, trimming,
// one group that reads and acknowledges; and nodes from outside, which are used when they are accepted.
internal import Base
internal import Structures

enum StreamRun {
    private struct Row: Equatable {
        var id: StreamID
        var pairs: [[UInt8]]
    }

    private struct Model {
        var rows: [Row] = []
        var delivered = StreamID.zero
        var pending: Set<StreamID> = []
    }

    private static let checkStep = 16
    private static let countMax = 300

    static func run(_ tape: inout Tape) {
        let limits = StreamLog.Limits(
            nodeBytesMax: [0, 200, 4096][tape.below(3)], nodeEntriesMax: [0, 1, 7, 100][tape.below(4)])
        var log = StreamLog()
        guard let group = log.createGroup(named: Array("group".utf8).span, lastID: .zero),
            let consumer = group.createConsumer(named: Array("consumer".utf8).span, nowMilliseconds: 1)
        else { preconditionFailure("a new stream takes a group") }
        var model = Model()
        var steps = 0
        while !tape.isEnded {
            edit(&log, group, consumer, &model, limits, &tape)
            if model.rows.count > countMax { trim(&log, &model, .length(countMax / 2), false) }
            steps += 1
            if steps % checkStep == 0 { check(log, group, model) }
        }
        check(log, group, model)
        let copy = log.duplicate()
        precondition(rows(copy) == model.rows, "a copy holds the same")
        while log.removeSome(limit: 7) {}
        precondition(log.length == 0, "a stream can be taken apart")
    }

    private static func edit(
        _ log: inout StreamLog, _ group: StreamGroup, _ consumer: StreamConsumer, _ model: inout Model,
        _ limits: StreamLog.Limits, _ tape: inout Tape
    ) {
        switch tape.below(10) {
        case 0...4:
            let step = UInt64(tape.below(3))
            let id = StreamID(log.lastID.milliseconds + step, step == 0 ? log.lastID.sequence + 1 : 0)
            let pairs = (0..<2 * (1 + tape.below(3))).map { _ in tape.element() }
            append(id, pairs, to: &log, limits)
            model.rows.append(Row(id: id, pairs: pairs))
        case 5 where !model.rows.isEmpty:
            let id = model.rows.remove(at: tape.below(model.rows.count)).id
            let isDeleted = log.delete(id)
            precondition(isDeleted && !log.contains(id) && !log.delete(id), "an entry is deleted once")
        case 6: trim(&log, &model, .length(tape.below(model.rows.count + 2)), tape.below(2) == 0)
        case 7 where !model.rows.isEmpty:
            trim(&log, &model, .minimumID(model.rows[tape.below(model.rows.count)].id), tape.below(2) == 0)
        case 8:
            var walk = log.walk(above: group.lastID, group.bookmark)
            for row in model.rows.filter({ $0.id > model.delivered }).prefix(tape.below(6)) {
                guard let entry = walk.next() else { preconditionFailure("a group reads what is new") }
                precondition(entry.id == row.id, "a group reads in order")
                log.advance(group, to: entry.id)
                group.deliver(entry.id, to: consumer, nowMilliseconds: 1)
                model.delivered = entry.id
                model.pending.insert(entry.id)
            }
        default:
            guard !model.pending.isEmpty else { return }
            let id = model.pending.sorted()[tape.below(model.pending.count)]
            let isAcknowledged = group.acknowledge(id)
            precondition(isAcknowledged, "what is pending can be acknowledged")
            model.pending.remove(id)
        }
    }

    private static func append(
        _ id: StreamID, _ pairs: [[UInt8]], to log: inout StreamLog, _ limits: StreamLog.Limits
    ) {
        let count = pairs.count / 2
        var draft = log.beginEntry(
            id, pairCount: count, byteCount: pairs.reduce(0) { $0 + $1.count }, limits: limits)
        for index in 0..<count {
            let field = pairs[index * 2]
            log.offerField(field.span, &draft)
        }
        for index in 0..<count {
            let (field, value) = (pairs[index * 2], pairs[index * 2 + 1])
            log.addPair(field.span, value.span, &draft)
        }
        log.endEntry(draft)
    }

    /// An exact trim leaves what it should; an approximate one at least that, and always the newest.
    private static func trim(
        _ log: inout StreamLog, _ model: inout Model, _ strategy: StreamLog.TrimStrategy, _ isApproximate: Bool
    ) {
        let wanted =
            switch strategy {
            case .length(let maximum): Array(model.rows.suffix(maximum))
            case .minimumID(let minimum): model.rows.filter { $0.id >= minimum }
            }
        let removed = log.trim(strategy, isApproximate: isApproximate, limit: 0)
        let kept = rows(log)
        precondition(kept == Array(model.rows.dropFirst(removed)), "a trim takes the oldest")
        precondition(isApproximate ? kept.count >= wanted.count : kept == wanted, "a trim leaves what it should")
        model.rows = kept
    }

    private static func rows(_ log: borrowing StreamLog, isReversed: Bool = false) -> [Row] {
        var found: [Row] = []
        var walk = log.walk(from: .zero, to: .max, isReversed: isReversed)
        while let entry = walk.next() {
            var pairs: [[UInt8]] = []
            entry.forEachPair { pairs += [text($0), text($1)] }
            found.append(Row(id: entry.id, pairs: pairs))
        }
        return found
    }

    private static func check(_ log: borrowing StreamLog, _ group: StreamGroup, _ model: Model) {
        if let fault = log.structuralFault() { preconditionFailure(fault) }
        precondition(log.length == model.rows.count && rows(log) == model.rows, "a stream keeps its entries")
        precondition(rows(log, isReversed: true) == model.rows.reversed(), "a stream is read backward")
        var pending: [StreamID] = []
        var cursor = group.pendingCursor()
        while let delivery = cursor.next() { pending.append(delivery.id) }
        precondition(pending == model.pending.sorted(), "what was delivered is pending")
    }

    /// A node that nobody has checked.
    static func runForeign(_ bytes: [UInt8]) {
        var log = StreamLog()
        guard log.loadNode(key: StreamID(5, 5), bytes.span),
            log.finishLoading(length: UInt64(log.length), lastID: .max)
        else { return }
        if let fault = log.structuralFault() { preconditionFailure(fault) }
        let all = rows(log)
        precondition(rows(log, isReversed: true) == all.reversed(), "an accepted node is read both ways")
        if let first = all.first {
            let isDeleted = log.delete(first.id)
            precondition(isDeleted, "an entry of an accepted node can be deleted")
        }
        _ = log.trim(.length(all.count / 2), isApproximate: false, limit: 0)
        if let fault = log.structuralFault() { preconditionFailure(fault) }
    }
}
