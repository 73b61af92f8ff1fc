// CircuitBreaker.swift - one node's circuit as a state machine: closed while calls succeed, open after too many
// failures in a row (or too many slow calls), half open when its time is over: then one probe at a time passes, and a
// few successes close it, a failure opens it anew. Pure; time is passed in.
internal import Engine

/// What `FOG.BREAKER` calls a circuit's state.
enum Health: UInt8, CaseIterable {
    case healthy, degraded, unhealthy, open, halfOpen

    var name: StaticString {
        switch self {
        case .healthy: "HEALTHY"
        case .degraded: "DEGRADED"
        case .unhealthy: "UNHEALTHY"
        case .open: "CIRCUIT_OPEN"
        case .halfOpen: "HALF_OPEN"
        }
    }
}

/// The directives that breakers go by.
struct BreakerRules {
    var isOn = true
    var failures = 5
    var timeoutMilliseconds: Int64 = 60_000
    var successes = 2
    /// 0: no call is slow.
    var slowMilliseconds = 0.0
    var slowRatio = 0.5
    var isAdaptive = false

    init() {}

    init(_ settings: FogSettings) {
        isOn = settings.usesBreaker
        failures = settings.breakerFailures
        timeoutMilliseconds = Int64(settings.breakerTimeoutSeconds) * 1000
        successes = settings.breakerSuccesses
        slowMilliseconds = Double(settings.breakerSlowMilliseconds)
        slowRatio = settings.breakerSlowRatio
        isAdaptive = settings.breakerMode == .adaptive
    }
}

struct CircuitBreaker {
    private enum State: UInt8 {
        case closed, open, halfOpen
    }

    /// The probe of a half-open circuit.
    private enum Probe: UInt8 {
        case none
        /// A node was chosen for it; its request has not been said to begin.
        case chosen
        case begun
    }

    /// Calls that the share of slow ones is measured over, and how many there must be.
    private static let windowCount = 32
    private static let windowCountMin = 10
    /// Weight of the newest call in the error rate.
    private static let rateAlpha = 0.1

    private var state = State.closed
    private var probe = Probe.none
    /// In a row, while closed.
    private(set) var failures: Int32 = 0
    /// In a row, while half open.
    private(set) var successes: Int32 = 0
    /// Of the last calls, the newest lowest: 1 for a slow one.
    private var slowBits: UInt32 = 0
    private var callCount: UInt8 = 0
    private(set) var errorRate: Float = 0
    private(set) var openedAt: Int64 = 0
    private(set) var retryAt: Int64 = 0
    /// When a probe that never ended is given up.
    private var probeDeadline: Int64 = 0
    private(set) var totalFailures = 0

    var isOpen: Bool { state == .open }

    var health: Health {
        switch state {
        case .open: .open
        case .halfOpen: .halfOpen
        case .closed: failures == 0 ? .healthy : (failures <= 2 ? .degraded : .unhealthy)
        }
    }

    /// Whether the node may get a call.
    var admits: Bool { state == .closed || (state == .halfOpen && probe == .none) }

    /// When time alone changes what `admits` says; nil: never.
    var nextChange: Int64? {
        switch state {
        case .open: retryAt
        case .halfOpen: probe == .none ? nil : probeDeadline
        case .closed: nil
        }
    }

    /// Time has passed.
    mutating func advance(to now: Int64) {
        if state == .open && now >= retryAt {
            state = .halfOpen
            probe = .none
            successes = 0
        } else if state == .halfOpen && probe != .none && now >= probeDeadline {
            probe = .none
        }
    }

    /// The node was chosen for a call, which began at once or will.
    mutating func choose(begins: Bool, now: Int64, _ rules: BreakerRules) {
        guard state == .halfOpen else { return }
        probe = begins ? .begun : .chosen
        probeDeadline = now + rules.timeoutMilliseconds
    }

    /// A call to the node begins without the balancer having been asked just now; false when it may not.
    mutating func begin(now: Int64, _ rules: BreakerRules) -> Bool {
        switch state {
        case .closed: return true
        case .open: return false
        case .halfOpen:
            if probe == .begun { return false }
            probe = .begun
            probeDeadline = now + rules.timeoutMilliseconds
            return true
        }
    }

    /// A call has ended. `milliseconds` nil: not measured.
    mutating func end(success: Bool, milliseconds: Double?, now: Int64, _ rules: BreakerRules) {
        if !success { totalFailures += 1 }
        errorRate += Float(CircuitBreaker.rateAlpha) * ((success ? 0 : 1) - errorRate)
        switch state {
        case .open: break
        case .halfOpen: endProbe(success, now, rules)
        case .closed: endCall(success, milliseconds, now, rules)
        }
    }

    private mutating func endProbe(_ success: Bool, _ now: Int64, _ rules: BreakerRules) {
        probe = .none
        guard success else { return open(now, until: now + rules.timeoutMilliseconds) }
        successes += 1
        if Int(successes) >= rules.successes { close() }
    }

    private mutating func endCall(_ success: Bool, _ milliseconds: Double?, _ now: Int64, _ rules: BreakerRules) {
        failures = success ? 0 : failures &+ 1
        if let milliseconds, rules.slowMilliseconds > 0 {
            slowBits = slowBits << 1 | (milliseconds >= rules.slowMilliseconds ? 1 : 0)
            callCount = min(UInt8(CircuitBreaker.windowCount), callCount + 1)
        }
        guard rules.isOn else { return }
        if Int(failures) >= threshold(rules) || isTooSlow(rules) {
            open(now, until: now + rules.timeoutMilliseconds)
        }
    }

    /// Failures in a row that open the circuit: in adaptive mode the fewer, the more calls failed lately, at least 2.
    func threshold(_ rules: BreakerRules) -> Int {
        guard rules.isAdaptive else { return rules.failures }
        let scaled = Double(rules.failures) * (1 - Double(errorRate))
        return max(min(2, rules.failures), Int(scaled.rounded(.up)))
    }

    private func isTooSlow(_ rules: BreakerRules) -> Bool {
        guard rules.slowMilliseconds > 0, Int(callCount) >= CircuitBreaker.windowCountMin else { return false }
        let mask: UInt32 = callCount >= 32 ? .max : (1 << UInt32(callCount)) - 1
        return Double((slowBits & mask).nonzeroBitCount) >= rules.slowRatio * Double(callCount)
    }

    private mutating func open(_ now: Int64, until time: Int64) {
        state = .open
        probe = .none
        successes = 0
        slowBits = 0
        callCount = 0
        openedAt = now
        retryAt = time
    }

    private mutating func close() {
        state = .closed
        probe = .none
        failures = 0
        successes = 0
        openedAt = 0
        retryAt = 0
    }

    // MARK: by hand

    /// FOG.BREAKER TRIP.
    mutating func trip(now: Int64, milliseconds: Int64) { open(now, until: now + milliseconds) }

    /// FOG.BREAKER RESET: as if nothing had happened; the count of all failures stays.
    mutating func reset() {
        close()
        errorRate = 0
        slowBits = 0
        callCount = 0
    }

    mutating func resetStatistics() { totalFailures = 0 }
}
