// FleetEvents.swift - the events of nodes and scaling: one function a type, all of which come through `post`. Under the
// turn.
internal import Base
internal import Engine
internal import Keyspace

enum FleetEvents {
    static func statusChanged(_ id: Span<UInt8>, from old: NodeStatus, to new: NodeStatus, _ engine: inout Engine) {
        var data = ByteBuffer()
        data.append("{\"old\":\"")
        data.append(old.name)
        data.append("\",\"new\":\"")
        data.append(new.name)
        data.append("\"}")
        post("NODE_STATUS_CHANGED", id, data.span, &engine)
    }

    static func timedOut(_ id: Span<UInt8>, lastHeartbeat: Int64, _ engine: inout Engine) {
        var data = ByteBuffer()
        data.append("{\"old\":\"active\",\"new\":\"inactive\",\"last_heartbeat\":")
        data.append(decimal: Int(lastHeartbeat))
        data.append("}")
        post("NODE_TIMEOUT", id, data.span, &engine)
    }

    static func scaleRecommended(_ advice: ScaleAdvice, pool: [UInt8], now: Int64, _ engine: inout Engine) {
        var data = ByteBuffer()
        data.append("{\"action\":\"")
        data.append(advice.action.name)
        data.append("\",\"reason\":")
        FleetText.appendJSON(advice.reason.utf8.span, to: &data)
        data.append(",\"current_nodes\":")
        data.append(decimal: advice.nodeCount)
        data.append(",\"avg_cpu\":")
        DoubleText.append(advice.averageCPU, to: &data)
        data.append(",\"timestamp\":\"\(CalendarTime.text(milliseconds: now))\"}")
        post("SCALE_RECOMMENDED", pool.span, data.span, &engine)
    }

    /// Publishes an event about `resource`; `data` is JSON.
    private static func post(
        _ type: StaticString, _ resource: Span<UInt8>, _ data: Span<UInt8>, _ engine: inout Engine
    ) {
        var payload = ByteBuffer()
        payload.append("{\"type\":\"")
        payload.append(type)
        payload.append("\",\"resource\":")
        FleetText.appendJSON(resource, to: &payload)
        payload.append(",\"data\":")
        payload.append(data)
        payload.append(",\"source_node\":")
        FleetText.appendJSON(engine.config.string("fog-node-id").utf8.span, to: &payload)
        payload.append(",\"ts_us\":")
        payload.append(decimal: Int(engine.keyspace.now) * 1000)
        payload.append("}")
        var channel = ByteBuffer()
        channel.append("fog:events")
        _ = engine.publish(channel.span, payload.span)
        channel.append(":")
        channel.append(type)
        _ = engine.publish(channel.span, payload.span)
    }
}
