// FleetEvents.swift - the events of nodes and scaling: one function a type, all of which come through `post`. Under the
// turn.
internal import Base
internal import Engine
internal import Keyspace

enum FleetEvents {
    static func statusChanged(_ id: Span<UInt8>, from old: NodeStatus, to new: NodeStatus, _ engine: inout Engine) {
        var data = JSONObject()
        data.add("old", text: old.name)
        data.add("new", text: new.name)
        post(.nodeStatusChanged, id, data.finish(), &engine)
    }

    static func timedOut(_ id: Span<UInt8>, lastHeartbeat: Int64, _ engine: inout Engine) {
        var data = JSONObject()
        data.add("old", text: "active")
        data.add("new", text: "inactive")
        data.add("last_heartbeat", decimal: lastHeartbeat)
        post(.nodeTimeout, id, data.finish(), &engine)
    }

    static func scaleRecommended(_ advice: ScaleAdvice, pool: [UInt8], now: Int64, _ engine: inout Engine) {
        var data = JSONObject()
        data.add("action", text: advice.action.name)
        data.add("reason", advice.reason.utf8.span)
        data.add("current_nodes", decimal: Int64(advice.nodeCount))
        data.add("avg_cpu", double: advice.averageCPU)
        data.add("timestamp", CalendarTime.text(milliseconds: now).utf8.span)
        post(.scaleRecommended, pool.span, data.finish(), &engine)
    }

    /// Publishes an event about `resource`; `data` is JSON.
    private static func post(
        _ type: EventType, _ resource: Span<UInt8>, _ data: consuming ByteBuffer, _ engine: inout Engine
    ) {
        guard let state = engine.coordination as? CoordinatorState else { return }
        var event = EventDraft(type, resource: resource)
        event.data = data
        _ = engine.publishEvent(event, state.events)
    }
}
