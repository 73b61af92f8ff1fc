// ScalePlan.swift - how a cluster grows by pairs of a primary and its replica: which slots go from whom to whom, so
// that every new primary has its equal share of all slots, taken from who has most, and no slot moves twice. Pure.

struct ScalePlan {
    static let slotCount = 16_384
    static let pairCountMax = 64

    struct Holder {
        let name: [UInt8]
        var slots: Int
    }

    enum Action {
        /// A primary that will hold so many slots.
        case addPrimary(slots: Int)
        case addReplica(of: [UInt8])
        case moveSlots(from: [UInt8], slots: Int)

        var name: StaticString {
            switch self {
            case .addPrimary: "add_primary"
            case .addReplica: "add_replica"
            case .moveSlots: "move_slots"
            }
        }
    }

    struct Step {
        let action: Action
        /// The node that the step makes, or to which slots go.
        let node: [UInt8]
    }

    let steps: [Step]

    /// `holders` are the primaries there are, with all slots between them.
    init(_ holders: [Holder], pairCount: Int) {
        var holders = holders
        let total = holders.reduce(0) { $0 + $1.slots }
        let share = total / (holders.count + pairCount)
        var steps: [Step] = []
        for pair in 0..<pairCount {
            let number = holders.count + pair + 1
            let primary = Array("primary-\(number)".utf8)
            steps.append(Step(action: .addPrimary(slots: share), node: primary))
            steps.append(Step(action: .addReplica(of: primary), node: Array("replica-\(number)".utf8)))
            var needed = share
            while needed > 0, let richest = holders.indices.max(by: { holders[$0].slots < holders[$1].slots }) {
                let count = min(needed, holders[richest].slots - share)
                guard count > 0 else { break }
                holders[richest].slots -= count
                needed -= count
                steps.append(
                    Step(action: .moveSlots(from: holders[richest].name, slots: count), node: primary))
            }
        }
        self.steps = steps
    }
}
