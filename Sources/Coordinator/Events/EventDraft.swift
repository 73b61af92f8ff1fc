// EventDraft.swift - an event before it is published: what happened to what, which keys are concerned, how urgent it
// is. `Call.publishEvent` gives it its number, writes its payload and sends it. Pure.
//
//     var event = EventDraft(.pricingUpdated, resource: call.arguments[2])
//     event.addKey(key.span)
//     event.data = data.finish()                   a JSONObject's
//     event.priority = .high
//     _ = call.publishEvent(event)
package import Base

package struct EventDraft: ~Copyable {
    let type: [UInt8]
    let resource: [UInt8]
    /// The keys concerned, one behind another.
    private var keyBytes = ByteBuffer()
    private var keyEnds: [Int] = []
    /// JSON, checked where it comes from a client; empty for none.
    package var data = ByteBuffer()
    /// Only low ones ever wait behind others.
    package var priority = Priority.normal
    /// A name that makes a second event of that name within `fog-event-dedup-window` no event; empty for none.
    package var identifier: [UInt8] = []

    package init(_ type: EventType, resource: Span<UInt8>) {
        var name = ByteBuffer()
        name.append(type.name)
        self.type = name.span.array
        self.resource = resource.array
    }

    /// `type` passed `EventType.isName`.
    package init(named type: Span<UInt8>, resource: Span<UInt8>) {
        self.type = EventType.spelling(type)
        self.resource = resource.array
    }

    package mutating func addKey(_ key: Span<UInt8>) {
        keyBytes.append(key)
        keyEnds.append(keyBytes.count)
    }

    package var keyCount: Int { keyEnds.count }

    package func forEachKey(_ body: (Span<UInt8>) -> Void) {
        var start = 0
        for end in keyEnds {
            body(keyBytes.span.extracting(start..<end))
            start = end
        }
    }
}

/// Where and when events are published: what their payloads say of this server.
struct EventOrigin {
    var node: [UInt8] = []
    var region: [UInt8] = []
    /// Of the history that sequence numbers belong to: it begins anew when the server starts.
    var epoch: Int64 = 0
}

extension EventDraft {
    /// The payload as subscribers get it: one JSON object of eleven members in this order.
    func write(
        id: Span<UInt8>, sequence: Int64, microseconds: Int64, _ origin: EventOrigin, to buffer: inout ByteBuffer
    ) {
        buffer.append("{\"id\":")
        JSONText.append(id, to: &buffer)
        buffer.append(",\"type\":")
        JSONText.append(type.span, to: &buffer)
        buffer.append(",\"resource\":")
        JSONText.append(resource.span, to: &buffer)
        buffer.append(",\"keys\":[")
        var isFirst = true
        forEachKey { key in
            if !isFirst { buffer.append(UInt8(ascii: ",")) }
            isFirst = false
            JSONText.append(key, to: &buffer)
        }
        buffer.append("],\"data\":")
        if data.isEmpty { buffer.append("null") } else { buffer.append(data.span) }
        buffer.append(",\"source_node\":")
        JSONText.append(origin.node.span, to: &buffer)
        buffer.append(",\"region\":")
        JSONText.append(origin.region.span, to: &buffer)
        buffer.append(",\"priority\":\"")
        buffer.append(priority.name)
        buffer.append("\",\"ts_us\":")
        buffer.append(decimal: Int(microseconds))
        buffer.append(",\"seq\":")
        buffer.append(decimal: Int(sequence))
        buffer.append(",\"epoch\":")
        buffer.append(decimal: Int(origin.epoch))
        buffer.append("}")
    }
}
