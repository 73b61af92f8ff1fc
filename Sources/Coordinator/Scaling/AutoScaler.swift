// AutoScaler.swift - when a fleet should grow or shrink, by the average load of its active nodes, and which
// recommendations were made. Advice is what the numbers say now; a recommendation is advice that is new, and no other
// was made for the same nodes during the cool-down, so that a load around a threshold does not make a flood. Pure.
internal import Engine

enum ScaleAction: UInt8 {
    case none, up, down

    var name: StaticString {
        switch self {
        case .none: "none"
        case .up: "scale_up"
        case .down: "scale_down"
        }
    }
}

struct ScaleAdvice {
    var action: ScaleAction
    var reason: String
    var nodeCount: Int
    var averageCPU: Double
}

struct ScaleRecommendation {
    let time: Int64
    /// The pool it is about; empty for all nodes.
    let pool: [UInt8]
    let advice: ScaleAdvice
}

struct AutoScaler {
    private static let historyCountMax = 128
    /// The clock looks this often.
    private static let intervalMilliseconds: Int64 = 1000

    /// The newest last.
    private(set) var history: [ScaleRecommendation] = []
    /// By pool: the last advice, and when something was recommended.
    private var last: [[UInt8]: (action: ScaleAction, time: Int64)] = [:]
    private var lastLook: Int64 = 0

    mutating func isDue(_ now: Int64) -> Bool {
        guard now - lastLook >= AutoScaler.intervalMilliseconds || now < lastLook else { return false }
        lastLook = now
        return true
    }

    static func advice(_ load: NodeLoad, _ settings: FogSettings) -> ScaleAdvice {
        let average = load.average
        var advice = ScaleAdvice(action: .none, reason: "", nodeCount: load.count, averageCPU: average)
        let (up, down) = (settings.scaleUpCPU, settings.scaleDownCPU)
        if !settings.usesAutoScaling {
            advice.reason = "Auto-scaling is off (fog-auto-scaling no)"
        } else if load.count == 0 {
            advice.reason = "No active nodes"
        } else if average > up {
            advice.reason = "High CPU usage (\(percent(average)) > \(percent(up)))"
            if settings.scaleMaximum > 0 && load.count >= settings.scaleMaximum {
                advice.reason += ", but fog-scale-max \(settings.scaleMaximum) is reached"
            } else {
                advice.action = .up
            }
        } else if average < down {
            advice.reason = "Low CPU usage (\(percent(average)) < \(percent(down)))"
            if load.count <= settings.scaleMinimum {
                advice.reason += ", but fog-scale-min \(settings.scaleMinimum) is reached"
            } else {
                advice.action = .down
            }
        } else {
            advice.reason = "CPU usage within limits (\(percent(down)) <= \(percent(average)) <= \(percent(up)))"
        }
        return advice
    }

    /// With one decimal.
    static func percent(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10))%"
    }

    /// Keeps the advice when it is worth a recommendation; true then.
    mutating func note(_ advice: ScaleAdvice, pool: [UInt8], now: Int64, cooldownSeconds: Int) -> Bool {
        let before = last[pool]
        if advice.action == .none {
            last[pool] = (.none, before?.time ?? .min / 2)
            return false
        }
        if let before {
            let isCooling = now - before.time < Int64(cooldownSeconds) * 1000
            if before.action == advice.action || isCooling { return false }
        }
        last[pool] = (advice.action, now)
        history.append(ScaleRecommendation(time: now, pool: pool, advice: advice))
        if history.count > AutoScaler.historyCountMax { history.removeFirst() }
        return true
    }
}
