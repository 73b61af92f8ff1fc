// NodeIndex+Clock.swift - what the clock does with nodes: those that were silent for too long become inactive, and the
// fleet's load is looked at. Neither looks at nodes for which nothing is due. Under the turn.
internal import Base
internal import Engine
internal import Keyspace
internal import Structures

extension NodeIndex {
    /// Timeouts worked off by one tick.
    private static var timeoutCountMax: Int { 100 }
    /// How long one tick works on the ring.
    private static var ringNanoseconds: Int64 { 500_000 }

    func tick(_ engine: inout Engine, _ database: Int, _ state: CoordinatorState) -> Bool {
        let now = engine.keyspace.now
        var left = NodeIndex.timeoutCountMax
        while left > 0, let number = timeouts.popDue(now) {
            guard nodes[number].status == .active, settings.heartbeatTimeoutSeconds > 0 else { continue }
            guard timeoutTime(number) <= now else {
                noteTimeout(number)
                continue
            }
            left -= 1
            timeOut(number, &engine, database, state)
        }
        if settings.usesAutoScaling, load.count > 0, scaler.isDue(now) { recommend(&engine, now) }
        let deadline = engine.clock.monotonicNanoseconds + NodeIndex.ringNanoseconds
        let hasRing = tickRing(engine.clock, deadlineNanoseconds: deadline)
        let hasProbes = tickProbes(&engine, database, state)
        return hasRing || hasProbes || left == 0
    }

    private func timeOut(_ number: Int, _ engine: inout Engine, _ database: Int, _ state: CoordinatorState) {
        let id = id(number)
        let prefix = state.prefix
        var key = ByteBuffer()
        key.append(prefix)
        key.append(RecordKind.node.prefix)
        key.append(id)
        var fields = RecordFields()
        fields.add(NodeField.status.name, text: NodeStatus.inactive.name)
        fields.add(NodeField.timedOut.name, decimal: engine.keyspace.now)
        do throws(CommandError) {
            guard try engine.recordSlot(key.span, in: database) != nil else { return }
            try engine.setRecord(key.span, in: database, fields, expiry: .kept, tells: false)
            if let slot = try engine.recordSlot(key.span, in: database) {
                read(id.span, slot.entry, now: engine.keyspace.now)
            }
        } catch {
            // Something else has the key by now, which its mark will tell.
            return
        }
        FleetEvents.timedOut(id.span, lastHeartbeat: nodes[number].heartbeat, &engine)
        engine.finishOutsideOfCommand()
    }

    private func recommend(_ engine: inout Engine, _ now: Int64) {
        note(load, pool: [], &engine, now)
        for (pool, load) in loads where pool >= 0 { note(load, pool: pools.name(pool), &engine, now) }
    }

    /// Looks at a load, keeps and tells what is worth a recommendation, and answers the advice.
    @discardableResult
    func note(_ load: NodeLoad, pool: [UInt8], _ engine: inout Engine, _ now: Int64) -> ScaleAdvice {
        let advice = AutoScaler.advice(load, settings)
        if scaler.note(advice, pool: pool, now: now, cooldownSeconds: settings.scaleCooldownSeconds) {
            FleetEvents.scaleRecommended(advice, pool: pool, now: now, &engine)
        }
        return advice
    }
}
