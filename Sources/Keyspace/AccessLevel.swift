// AccessLevel.swift - an entry's level of use (0 to 15, see `Keyspace.countUse`) in the terms of the stock servers'
// logarithmic counter, which OBJECT FREQ shows and RESTORE and RDB files carry. Pure.

package enum AccessLevel {
    /// What a stock counter (lfu-log-factor 10) stands at after as many uses as each level means. A key that nobody
    /// used since it was written stands at 5 there.
    private static let counters = [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 25, 34, 45]

    /// The counter to show for a level.
    package static func shown(_ level: Int) -> Int { counters[min(max(0, level), counters.count - 1)] }

    /// The level that comes nearest to a counter from outside, 0...255, without exceeding it.
    package static func level(ofCounter counter: Int) -> Int {
        max(0, (counters.firstIndex { $0 > counter } ?? counters.count) - 1)
    }
}
