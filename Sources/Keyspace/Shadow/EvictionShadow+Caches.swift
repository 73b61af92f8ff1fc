// EvictionShadow+Caches.swift - a record in one simulated cache: coming, being used, making room for others, going. The
// rules are those of Eviction.swift, with its numbers, on records in the place of buckets. Under the turn.
internal import Base

extension EvictionShadow {
    /// Residents that LFU looks at to find one that goes; stock servers look at five and remember the best sixteen.
    private static let frequencyPicks = 10
    /// Residents that are looked at for the soonest expiry: what goes is among the soonest one and a half per cent.
    private static let expiryPicks = 64
    /// LFU's counter of a new key.
    private static let counterAtStart: UInt8 = 5

    // MARK: coming and going

    /// Puts a record into a cache that does not hold it. `hasPassed`: it was there before, probation is over for it.
    func insert(_ place: Int, _ number: Int, _ now: UInt32, hasPassed: Bool = false) {
        let byteCount = Int(records.byteCounts[place])
        guard makeRoom(number, for: byteCount, now) else { return }
        let isOn = caches[number].isOn
        let age = isOn && !hasPassed ? caches[number].newcomerAge : 0
        states[place * caches.count + number] = EvictionShadow.present | age << EvictionShadow.ageShift
        caches[number].add(place, byteCount: byteCount)
        records.hold(place)
        let lifetime = records.lifetimes[place]
        if lifetime != 0 { caches[number].volatileCount += 1 }
        if !deadlines.isEmpty { deadlines[place * caches.count + number] = lifetime == 0 ? 0 : now &+ lifetime }
        switch caches[number].rule.order {
        case .unused, .counted, .modified: noteNewcomer(number)
        case .leastRecent: linkFirst(place, number)
        case .leastFrequent:
            let pair = place * EvictionShadow.factors.count + caches[number].factor
            counters[pair] = EvictionShadow.counterAtStart
            minutes[pair] = EvictionShadow.minute(now)
        case .random, .soonestExpiry, .never: break
        }
    }

    func remove(_ place: Int, _ number: Int) {
        states[place * caches.count + number] = 0
        caches[number].remove(place, byteCount: Int(records.byteCounts[place]))
        if records.lifetimes[place] != 0 { caches[number].volatileCount -= 1 }
        if caches[number].rule.order == .leastRecent { unlink(place, number) }
        records.release(place)
    }

    func touch(_ place: Int, _ number: Int, isWrite: Bool, _ now: UInt32) {
        switch caches[number].rule.order {
        case .unused: countUse(place, number, exactMax: 3, max: 3)
        case .counted: countUse(place, number, exactMax: 3, max: 15)
        case .modified: if isWrite { countUse(place, number, exactMax: 3, max: 3) }
        case .leastRecent:
            unlink(place, number)
            linkFirst(place, number)
        case .leastFrequent: countFrequency(place, number, now)
        case .random, .soonestExpiry, .never: break
        }
    }

    /// Makes room for so many bytes more. False when they cannot be had.
    @discardableResult
    func makeRoom(_ number: Int, for byteCount: Int, _ now: UInt32) -> Bool {
        let capacity = caches[number].capacityByteCount
        guard caches[number].byteCount + byteCount > capacity else { return true }
        caches[number].wasFull = true
        while caches[number].byteCount + byteCount > capacity {
            guard caches[number].count > 0, evictOne(number, now) else { return false }
        }
        return true
    }

    private func evictOne(_ number: Int, _ now: UInt32) -> Bool {
        if caches[number].rule.onlyVolatile && caches[number].volatileCount == 0 { return false }
        let victim: Int?
        switch caches[number].rule.order {
        case .unused, .counted, .modified: victim = walk(number, now)
        case .random: victim = pickRandom(number)
        case .soonestExpiry: victim = pickSoonest(number)
        case .leastRecent: victim = caches[number].last == ShadowRecords.none ? nil : Int(caches[number].last)
        case .leastFrequent: victim = pickLeastFrequent(number, now)
        case .never: victim = nil
        }
        guard let victim else { return false }
        remove(victim, number)
        return true
    }

    // MARK: the server's own order

    private func uses(_ place: Int, _ number: Int) -> Int {
        Int(states[place * caches.count + number] & EvictionShadow.usesMask)
    }

    private func age(_ place: Int, _ number: Int) -> UInt8 {
        (states[place * caches.count + number] & EvictionShadow.ageMask) >> EvictionShadow.ageShift
    }

    private func setState(_ place: Int, _ number: Int, uses: Int, age: UInt8) {
        states[place * caches.count + number] =
            EvictionShadow.present | age << EvictionShadow.ageShift | UInt8(uses) & EvictionShadow.usesMask
    }

    private func countUse(_ place: Int, _ number: Int, exactMax: Int, max: Int) {
        let level = uses(place, number)
        guard level < max else { return }
        let mask: UInt64 = level < exactMax ? 0 : 1 << UInt64(level - exactMax + 1) - 1
        if mask == 0 || random.next() & mask == 0 {
            setState(place, number, uses: level + 1, age: age(place, number))
        }
    }

    /// A key came: the sweep is so much further behind.
    private func noteNewcomer(_ number: Int) {
        if !caches[number].isOn {
            caches[number].isOn = caches[number].byteCount * 10 > caches[number].capacityByteCount * 9
            return
        }
        let places = Double(records.capacity)
        caches[number].newcomers += 1
        caches[number].sweepDebt = min(places, caches[number].sweepDebt + places / Double(length(number)))
    }

    /// Newcomers of one generation.
    private func length(_ number: Int) -> Int { max(1, caches[number].count * EvictionHand.generationPercent / 100) }

    /// The next that goes, as `EvictionHand.walk` finds it.
    private func walk(_ number: Int, _ now: UInt32) -> Int? {
        caches[number].isOn = true
        if caches[number].isSweepFinished && caches[number].newcomers >= length(number) {
            caches[number].newcomers = 0
            caches[number].sweepDebt = 1
            caches[number].sweep = 0
            caches[number].isSweepFinished = false
            caches[number].newcomerAge = 3 - caches[number].newcomerAge
        }
        // Every round of the clock takes a use away, of which there are sixteen at most.
        for _ in 0..<(caches[number].count + 64) * 24 {
            let sweeps = !caches[number].isSweepFinished && caches[number].sweepDebt >= 1
            if let victim = sweeps ? sweepStep(number, now) : clockStep(number, now) {
                caches[number].fruitless = 0
                return victim
            }
        }
        return nil
    }

    private func mayGo(_ place: Int, _ number: Int) -> Bool {
        !caches[number].rule.onlyVolatile || records.lifetimes[place] != 0
    }

    private func wanted(_ place: Int, _ number: Int) -> Int {
        1 + EvictionHand.penalty(Int(records.byteCounts[place]) / caches[number].meanByteCount)
    }

    private func sweepStep(_ number: Int, _ now: UInt32) -> Int? {
        let start = caches[number].sweep
        guard let place = caches[number].nextResident(from: start) else {
            caches[number].isSweepFinished = true
            return nil
        }
        caches[number].sweep = place + 1
        caches[number].sweepDebt -= Double(place + 1 - start)
        guard age(place, number) == 3 - caches[number].newcomerAge else { return nil }
        if isExpired(place, number, now) { return place }
        guard mayGo(place, number) else {
            setState(place, number, uses: uses(place, number), age: 0)
            return nil
        }
        let (uses, wanted) = (uses(place, number), wanted(place, number))
        if uses >= wanted || cameBack(place, number) {
            let left = caches[number].rule.order == .counted ? max(1, uses - wanted) : 1
            setState(place, number, uses: left, age: 0)
            return nil
        }
        if uses == 0 {
            caches[number].unlucky &+= 1
            if caches[number].unlucky % EvictionHand.luckyShare == 0 {
                setState(place, number, uses: 0, age: 0)
                return nil
            }
        }
        caches[number].ghostClock &+= 1
        ghosts[place * handCount + number] = caches[number].ghostClock
        return place
    }

    private func cameBack(_ place: Int, _ number: Int) -> Bool {
        let seen = ghosts[place * handCount + number]
        let remembered = caches[number].count * GhostTable.percentOfKeys / 100
        return seen != 0 && Int(caches[number].ghostClock &- seen) < remembered
    }

    private func clockStep(_ number: Int, _ now: UInt32) -> Int? {
        let start = caches[number].clock
        guard let place = caches[number].nextResident(from: start) else {
            caches[number].fruitless += records.capacity - start
            caches[number].clock = 0
            return nil
        }
        caches[number].clock = place + 1
        caches[number].fruitless += place + 1 - start
        let age = age(place, number)
        if age != 0 && caches[number].fruitless <= records.capacity { return nil }
        if isExpired(place, number, now) { return place }
        guard mayGo(place, number) else { return nil }
        let (uses, wanted) = (uses(place, number), wanted(place, number))
        if uses >= wanted {
            setState(place, number, uses: uses - wanted, age: age)
            return nil
        }
        return place
    }

    // MARK: random and soonest

    private func pickRandom(_ number: Int) -> Int? {
        guard caches[number].rule.onlyVolatile else { return caches[number].randomResident(&random) }
        return pickVolatile(number)
    }

    /// Any resident with an expiry.
    private func pickVolatile(_ number: Int) -> Int? {
        for _ in 0..<EvictionShadow.expiryPicks {
            guard let place = caches[number].randomResident(&random) else { return nil }
            if records.lifetimes[place] != 0 { return place }
        }
        var place = caches[number].nextResident(from: 0)
        while let found = place, records.lifetimes[found] == 0 { place = caches[number].nextResident(from: found + 1) }
        return place
    }

    private func pickSoonest(_ number: Int) -> Int? {
        var best: Int?
        var soonest = UInt32.max
        for _ in 0..<min(EvictionShadow.expiryPicks, caches[number].volatileCount) {
            guard let place = pickVolatile(number) else { return best }
            let deadline = deadlines[place * caches.count + number]
            if deadline < soonest || best == nil { (best, soonest) = (place, deadline) }
        }
        return best
    }

    // MARK: LRU by the book

    private func linkFirst(_ place: Int, _ number: Int) {
        let pair = place * EvictionShadow.factors.count + caches[number].factor
        let first = caches[number].first
        recencyPrevious[pair] = ShadowRecords.none
        recencyNext[pair] = first
        if first == ShadowRecords.none {
            caches[number].last = UInt32(place)
        } else {
            recencyPrevious[Int(first) * EvictionShadow.factors.count + caches[number].factor] = UInt32(place)
        }
        caches[number].first = UInt32(place)
    }

    private func unlink(_ place: Int, _ number: Int) {
        let (width, factor) = (EvictionShadow.factors.count, caches[number].factor)
        let pair = place * width + factor
        let (before, after) = (recencyPrevious[pair], recencyNext[pair])
        if before == ShadowRecords.none {
            caches[number].first = after
        } else {
            recencyNext[Int(before) * width + factor] = after
        }
        if after == ShadowRecords.none {
            caches[number].last = before
        } else {
            recencyPrevious[Int(after) * width + factor] = before
        }
    }

    // MARK: LFU as stock servers have it

    private static func minute(_ now: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: now / 6000) }

    /// The counter now: less by one for each time it was not looked at for so many minutes.
    private func frequency(_ pair: Int, _ now: UInt32) -> UInt8 {
        guard lfuDecayMinutes > 0 else { return counters[pair] }
        let passed = Int(EvictionShadow.minute(now) &- minutes[pair]) / lfuDecayMinutes
        return UInt8(max(0, Int(counters[pair]) - passed))
    }

    private func countFrequency(_ place: Int, _ number: Int, _ now: UInt32) {
        let pair = place * EvictionShadow.factors.count + caches[number].factor
        let counter = frequency(pair, now)
        counters[pair] = counter
        minutes[pair] = EvictionShadow.minute(now)
        guard counter < .max else { return }
        let above = Double(max(0, Int(counter) - Int(EvictionShadow.counterAtStart)))
        if random.unit() < 1 / (above * Double(max(0, lfuLogFactor)) + 1) { counters[pair] = counter + 1 }
    }

    private func pickLeastFrequent(_ number: Int, _ now: UInt32) -> Int? {
        var best: Int?
        var least = UInt8.max
        for _ in 0..<EvictionShadow.frequencyPicks {
            guard let place = caches[number].randomResident(&random) else { return best }
            let counter = frequency(place * EvictionShadow.factors.count + caches[number].factor, now)
            if counter < least || best == nil { (best, least) = (place, counter) }
        }
        return best
    }
}
