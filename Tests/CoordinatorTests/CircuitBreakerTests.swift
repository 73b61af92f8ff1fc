// CircuitBreakerTests.swift - the circuit as a state machine: the mission's table of states, half-open probes, slow
// calls, the adaptive mode; and what holds after any sequence of calls.
import Testing

@testable import Coordinator

struct CircuitBreakerTests {
    private let rules = BreakerRules()

    private func failed(_ count: Int, _ breaker: inout CircuitBreaker, at now: Int64 = 1000) {
        for _ in 0..<count { breaker.end(success: false, milliseconds: nil, now: now, rules) }
    }

    @Test(arguments: [
        (0, Health.healthy), (1, .degraded), (2, .degraded), (3, .unhealthy), (4, .unhealthy), (5, .open), (6, .open),
    ])
    func statesByFailures(count: Int, health: Health) {
        var breaker = CircuitBreaker()
        failed(count, &breaker)
        #expect(breaker.health == health)
        #expect(breaker.admits == (health != .open))
        #expect(breaker.totalFailures == count)
    }

    @Test func aSuccessForgetsFailures() {
        var breaker = CircuitBreaker()
        failed(4, &breaker)
        breaker.end(success: true, milliseconds: 1, now: 1000, rules)
        #expect(breaker.health == .healthy)
    }

    @Test func opensForTheTimeoutThenAdmitsOneProbe() {
        var breaker = CircuitBreaker()
        failed(5, &breaker)
        breaker.advance(to: 60_999)
        #expect(!breaker.admits)
        #expect(breaker.nextChange == 61_000)
        breaker.advance(to: 61_000)
        #expect(breaker.health == .halfOpen)
        #expect(breaker.admits)
        breaker.choose(begins: true, now: 61_000, rules)
        #expect(!breaker.admits)
        let second = breaker.begin(now: 61_001, rules)
        #expect(!second)
        breaker.end(success: true, milliseconds: nil, now: 61_010, rules)
        #expect(breaker.health == .halfOpen && breaker.successes == 1)
        breaker.choose(begins: false, now: 61_020, rules)
        let begun = breaker.begin(now: 61_021, rules)
        #expect(begun)
        breaker.end(success: true, milliseconds: nil, now: 61_030, rules)
        #expect(breaker.health == .healthy)
    }

    @Test func aFailedProbeOpensAnew() {
        var breaker = CircuitBreaker()
        failed(5, &breaker)
        breaker.advance(to: 61_000)
        breaker.choose(begins: true, now: 61_000, rules)
        breaker.end(success: false, milliseconds: nil, now: 62_000, rules)
        #expect(breaker.health == .open)
        #expect(breaker.retryAt == 122_000)
    }

    @Test func aProbeThatNeverEndsIsGivenUp() {
        var breaker = CircuitBreaker()
        failed(5, &breaker)
        breaker.advance(to: 61_000)
        breaker.choose(begins: true, now: 61_000, rules)
        #expect(breaker.nextChange == 121_000)
        breaker.advance(to: 121_000)
        #expect(breaker.admits)
    }

    @Test func slowCallsOpenIt() {
        var slow = rules
        slow.slowMilliseconds = 100
        var breaker = CircuitBreaker()
        for call in 0..<9 { breaker.end(success: true, milliseconds: call % 2 == 0 ? 250 : 5, now: 1, slow) }
        #expect(breaker.health == .healthy)
        breaker.end(success: true, milliseconds: 250, now: 1, slow)
        #expect(breaker.health == .open)
    }

    @Test func adaptiveOpensSooner() {
        var adaptive = rules
        adaptive.isAdaptive = true
        var breaker = CircuitBreaker()
        var needed = 0
        while !breaker.isOpen && needed < 10 {
            breaker.end(success: false, milliseconds: nil, now: 1, adaptive)
            needed += 1
        }
        #expect(needed < 5 && needed >= 2)
    }

    @Test func offNeverOpens() {
        var off = rules
        off.isOn = false
        var breaker = CircuitBreaker()
        for _ in 0..<100 { breaker.end(success: false, milliseconds: nil, now: 1, off) }
        #expect(breaker.admits && breaker.totalFailures == 100)
    }

    /// While half open at most one probe runs, whatever is done in whatever order.
    @Test(arguments: [UInt64(1), 2, UInt64.random(in: 3...UInt64.max)])
    func oneProbeAtATime(seed: UInt64) {
        var random = TestRandom(seed)
        var breaker = CircuitBreaker()
        var now: Int64 = 0
        var probes = 0
        for _ in 0..<20_000 {
            now += Int64(random.below(20_000))
            let (before, due) = (breaker.health, breaker.nextChange)
            breaker.advance(to: now)
            if before != breaker.health || due.map({ $0 <= now }) ?? false { probes = 0 }
            if random.below(2) == 0, breaker.admits {
                if breaker.health == .halfOpen { probes += 1 }
                breaker.choose(begins: true, now: now, rules)
            } else {
                breaker.end(success: random.below(3) > 0, milliseconds: nil, now: now, rules)
                probes = 0
            }
            guard probes <= 1, breaker.failures >= 0, breaker.successes < 2 else {
                Issue.record("seed \(seed): \(probes) probes, \(breaker)")
                return
            }
        }
    }
}
