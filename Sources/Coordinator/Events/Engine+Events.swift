// Engine+Events.swift - publishing an event: it gets its number, goes into the log and out to `fog:events` and
// `fog:events:<TYPE>`, plain and shard channels alike, and clients that hold copies of its keys are told. Urgent events
// go out at once; low ones wait when there are many (`EventState`), numbered all the same. Under the turn.
internal import Base
package import Engine
internal import Keyspace
internal import RESP

/// What became of an event.
package struct EventReceipt: Sendable {
    package var sequence: Int64 = 0
    /// Clients that got it, or will.
    package var receivers = 0
    /// It was one already, by its name.
    package var isDuplicate = false
}

extension Engine {
    private static var channel: StaticString { "fog:events" }

    /// Publishes an event, unless one of its name was published a moment ago.
    mutating func publishEvent(_ draft: borrowing EventDraft, _ events: EventState) -> EventReceipt {
        let start = clock.monotonicNanoseconds
        refresh(events)
        var receipt = EventReceipt()
        let isNew = draft.identifier.isEmpty || events.names.insert(
            draft.identifier, now: keyspace.now, window: Int64(settings.fog.eventDedupMilliseconds))
        guard isNew else {
            events.deduplicated += 1
            receipt.isDuplicate = true
            return receipt
        }
        receipt.sequence = events.log.nextSequence
        var payload = ByteBuffer()
        swap(&payload, &events.payload)
        payload.truncate(to: 0)
        let microseconds = clock.nowMicroseconds
        draft.write(
            id: Engine.identifier(of: draft, receipt.sequence, events.origin).span, sequence: receipt.sequence,
            microseconds: microseconds, events.origin, to: &payload)
        let bytes = payload.span.array
        events.log.append(EventLog.Entry(type: draft.type, microseconds: microseconds, payload: bytes))
        events.processed += 1
        events.lastNanoseconds = start
        if hasTrackers { draft.forEachKey { tellTrackers($0) } }
        if draft.priority == .low && events.mustWait(start) {
            receipt.receivers = receiverCount(draft.type)
            events.enqueue(EventState.Queued(type: draft.type, payload: bytes, startNanoseconds: start))
        } else {
            receipt.receivers = send(draft.type, payload.span)
            events.propagation.record(nanoseconds: clock.monotonicNanoseconds - start)
        }
        payload.removeAll(keepingCapacity: 16 << 10)
        swap(&payload, &events.payload)
        return receipt
    }

    private mutating func refresh(_ events: EventState) {
        guard events.settingsVersion != settingsVersion else { return }
        events.settingsVersion = settingsVersion
        events.origin.node = Array(config.string("fog-node-id").utf8)
        events.origin.region = Array(config.string("fog-region").utf8)
        events.origin.epoch = identity.startMilliseconds
        events.log.countMax = settings.fog.eventLogCount
        events.log.byteCountMax = settings.fog.eventLogBytes
        events.log.trim()
    }

    /// The name that the client gave, or one that no other event has.
    static func identifier(of draft: borrowing EventDraft, _ sequence: Int64, _ origin: EventOrigin) -> [UInt8] {
        if !draft.identifier.isEmpty { return draft.identifier }
        var text = ByteBuffer()
        text.append(origin.node)
        text.append(UInt8(ascii: "-"))
        text.append(decimal: Int(origin.epoch))
        text.append(UInt8(ascii: "-"))
        text.append(decimal: Int(sequence))
        return text.span.array
    }

    private mutating func send(_ type: [UInt8], _ payload: Span<UInt8>) -> Int {
        var name = ByteBuffer()
        name.append(Engine.channel)
        var count = publish(name.span, payload) + publishToShard(name.span, payload)
        forwardMessage(name.span, payload)
        name.append(UInt8(ascii: ":"))
        name.append(type)
        count += publish(name.span, payload) + publishToShard(name.span, payload)
        forwardMessage(name.span, payload)
        return count
    }

    /// Clients that listen to one of the type's channels by name.
    private func receiverCount(_ type: [UInt8]) -> Int {
        var name = ByteBuffer()
        name.append(Engine.channel)
        var count = subscriberCount(of: name.span)
        name.append(UInt8(ascii: ":"))
        name.append(type)
        count += subscriberCount(of: name.span)
        return count
    }

    /// Sends low events that waited; true when there are more.
    mutating func drainEvents(_ events: EventState) -> Bool {
        var left = EventState.drainedCount
        while left > 0, let event = events.dequeue() {
            left -= 1
            _ = send(event.type, event.payload.span)
            events.propagation.record(nanoseconds: clock.monotonicNanoseconds - event.startNanoseconds)
        }
        return events.queuedCount > 0
    }
}

extension Call {
    var events: EventState { coordinator.events }

    /// Publishes an event of what the running command did. Call it behind the changes.
    package func publishEvent(_ draft: borrowing EventDraft) -> EventReceipt {
        administration.publishEvent(draft, events)
    }
}
