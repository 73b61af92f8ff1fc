// Engine+Notifications.swift - keyspace notifications: what `applyEffects` brings becomes messages on
// `__keyspace@<database>__:<key>` and `__keyevent@<database>__:<event>`. Nothing is recorded for them while
// `notify-keyspace-events` is off or nobody listens to any channel. Under the turn.
internal import Base

extension Engine {
    /// Whether changes are worth recording for notifications: they are configured and somebody may hear them.
    var notifies: Bool {
        !settings.notifyKeyspaceEvents.isDisjoint(with: [.keyspace, .keyevent])
            && !(pubsub.channels.isEmpty && pubsub.patterns.isEmpty)
    }

    mutating func notify(
        _ event: StaticString, _ eventClass: KeyspaceEventClasses, _ key: Span<UInt8>, database: Int
    ) {
        let wanted = settings.notifyKeyspaceEvents
        guard !wanted.isDisjoint(with: eventClass), event.utf8CodeUnitCount > 0 else { return }
        var text = ByteBuffer()
        swap(&text, &pubsub.notification)
        if wanted.contains(.keyspace) {
            let name = Engine.beginChannel(event, database, "keyspace", in: &text)
            text.append(key)
            _ = publish(text.span.extracting(name.upperBound..<text.count), text.span.extracting(name))
        }
        if wanted.contains(.keyevent) {
            let name = Engine.beginChannel(event, database, "keyevent", in: &text)
            text.append(event)
            _ = publish(text.span.extracting(name.upperBound..<text.count), key)
        }
        text.removeAll(keepingCapacity: 4096)
        swap(&text, &pubsub.notification)
    }

    /// Writes the event's name, whose place is returned, and behind it how the channel's name begins.
    private static func beginChannel(
        _ event: StaticString, _ database: Int, _ kind: StaticString, in text: inout ByteBuffer
    ) -> Range<Int> {
        text.truncate(to: 0)
        text.append(event)
        let name = 0..<text.count
        text.append("__")
        text.append(kind)
        text.append("@")
        text.append(decimal: database)
        text.append("__:")
        return name
    }
}
