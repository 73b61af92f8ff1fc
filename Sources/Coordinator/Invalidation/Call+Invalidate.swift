// Call+Invalidate.swift - how keys become invalid: by name, by tag, by pattern, by what a rule says. Every way ends the
// leases of these keys as well, so that what a slow client brings later is refused. Under the turn.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

extension Call {
    var cache: CacheState { coordinator.cache }

    /// Removes a key of the session's database; false when it is not there.
    func invalidate(_ key: Span<UInt8>) -> Bool {
        if cache.leases.count > 0 { cache.leases.revoke(LeaseKey(database: session.database, key)) }
        guard administration.removeKey(key, in: session.database) else { return false }
        events.invalidations += 1
        return true
    }

    /// Makes all keys of a tag invalid, in every database. Returns how many living ones there were.
    func invalidate(tag: Span<UInt8>) -> Int {
        let count = keyspace.tags.invalidate(tag)
        cache.leases.noteInvalidation(of: tag)
        events.invalidations += count
        if count == 0 { return 0 }
        changedUnseen()
        // Stock servers learn of it key by key, as the dead are removed; files of Fog need the tag itself.
        remark("FOG.INVALIDATE") { words in
            words.add("TAG")
            words.add(tag)
        }
        return count
    }

    /// Removes what the rules of `type` say, as far as it can be done at once; patterns with many keys go on in the
    /// background. Returns how many keys went so far.
    func invalidate(byRulesOf type: Span<UInt8>, _ words: EventWords) throws(CommandError) -> Int {
        let targets = rules(of: type).map { EventRules.fill($0.span, words) }
        for target in targets {
            if target.isPattern {
                try checkPatternAccess(target.text.span)
            } else {
                try checkRecordAccess(target.text.span, [.readWrite, .delete])
            }
        }
        var removed = 0
        for target in targets where !target.isPattern && invalidate(target.text.span) { removed += 1 }
        let patterns = targets.filter { $0.isPattern }.map { $0.text }
        if patterns.isEmpty { return removed }
        return removed + start(PatternJob(
            patterns, database: session.database, selector: "RULE", subject: type.array,
            startNanoseconds: administration.clock.monotonicNanoseconds, tells: false))
    }

    /// Begins a job and leaves the rest of it to the clock. Returns how many keys went at once.
    func start(_ job: PatternJob) -> Int {
        var job = job
        let isFull = cache.background.count >= CacheState.backgroundCountMax || context != .client
        let slice = administration.clock.monotonicNanoseconds + InvalidateCommand.sliceNanoseconds
        let before = job.removed
        let isDone = job.run(&administration, cache, deadlineNanoseconds: isFull ? .max : slice)
        events.invalidations += job.removed - before
        if isDone { administration.finish(job, events) } else { cache.background.append(job) }
        return job.removed
    }

    /// Refuses users who may not remove every key that `pattern` may match. Their patterns are a prefix and a star,
    /// and a key with that prefix that nobody could foresee must be theirs.
    func checkPatternAccess(_ pattern: Span<UInt8>) throws(CommandError) {
        guard session.gates.contains(.limited) else { return }
        let prefixCount = Glob.literalPrefixCount(pattern)
        guard prefixCount == pattern.count - 1, pattern[prefixCount] == UInt8(ascii: "*") else {
            throw .message("NOPERM users with key permissions may only use patterns of a prefix and a star")
        }
        var probe = ByteBuffer()
        probe.append(pattern.extracting(0..<prefixCount))
        probe.append(RunIdentifier.make())
        try checkRecordAccess(probe.span, [.readWrite, .delete])
    }

    // MARK: rules

    /// The key of the hash that holds the rules that were set: a field for each type.
    var rulesKey: ByteBuffer {
        var key = ByteBuffer()
        key.append(coordinator.prefix)
        key.append("event:rules")
        return key
    }

    /// The templates of a type: those that were set, else the standard ones.
    func rules(of type: Span<UInt8>) -> [[UInt8]] {
        if let set = setRules(of: type) { return set }
        return EventRules.standard(type).map { template in
            var text = ByteBuffer()
            text.append(template)
            return text.span.array
        }
    }

    /// The templates that were set for a type; nil when none were.
    func setRules(of type: Span<UInt8>) -> [[UInt8]]? {
        let key = rulesKey
        guard let slot = try? recordSlot(key.span) else { return nil }
        var text: [UInt8]?
        if let value = slot.entry.fieldValue(type, now: now) { value.withText { text = $0.array } }
        return text.map { EventRules.split($0) }
    }
}

extension Engine {
    /// An invalidation is over: it is counted and told.
    mutating func finish(_ job: PatternJob, _ events: EventState) {
        events.invalidation.record(nanoseconds: clock.monotonicNanoseconds - job.startNanoseconds)
        if job.tells { tellInvalidation(job.selector, job.subject.span, count: job.removed, events) { _ in } }
    }

    /// Publishes MANUAL_INVALIDATION.
    mutating func tellInvalidation(
        _ selector: StaticString, _ subject: Span<UInt8>, count: Int, _ events: EventState,
        _ addKeys: (inout EventDraft) -> Void
    ) {
        var event = EventDraft(.manualInvalidation, resource: subject)
        var data = JSONObject()
        data.add("selector", text: selector)
        data.add("count", decimal: Int64(count))
        event.data = data.finish()
        addKeys(&event)
        _ = publishEvent(event, events)
    }
}
