// NodeProbe.swift - asking nodes whether they are there (`fog-probe`): every `fog-probe-interval` the addresses of the
// active nodes, and of those that a probe has failed, go to a thread of the server's that probes them. A node that does
// not answer is `failed` and gets no traffic; when it answers again it is active. What somebody declared by hand is not
// touched. An answer is a sign of life, like a heartbeat. Under the turn, but for the probing itself.
internal import Base
package import Engine
internal import Keyspace
internal import Structures

package struct ProbeRequest: Sendable {
    package struct Target: Sendable {
        let id: [UInt8]
        package let host: String
        package let port: Int
    }

    let database: Int
    package let targets: [Target]
    package let kind: ProbeKind
    package let path: String
    package let timeoutMilliseconds: Int
}

/// Where an index is in its round of probes.
struct ProbeRound {
    /// Addresses in one request, and nodes that one tick looks at.
    static let targetCountMax = 256

    /// Requests that are not answered after so long will not be.
    static let patienceMilliseconds: Int64 = 120_000

    var lastStart: Int64 = 0
    /// The next node's number; nil between two rounds.
    var cursor: Int?
    /// Requests that are not answered yet; no round begins before the last one's end.
    var pendingCount = 0
}

extension NodeIndex {
    /// A part of a round, when one is due or under way; true when there is more of it.
    func tickProbes(_ engine: inout Engine, _ database: Int, _ state: CoordinatorState) -> Bool {
        guard settings.probe != .off, let probe = state.probe else { return false }
        let now = engine.keyspace.now
        if probes.cursor == nil {
            let interval = Int64(settings.probeIntervalSeconds) * 1000
            // Answers may have gone to the database that has this one's number by now (SWAPDB).
            if now - probes.lastStart > interval + ProbeRound.patienceMilliseconds { probes.pendingCount = 0 }
            guard probes.pendingCount == 0, now - probes.lastStart >= interval || now < probes.lastStart else {
                return false
            }
            probes.lastStart = now
            probes.cursor = 0
        }
        var targets: [ProbeRequest.Target] = []
        var left = ProbeRound.targetCountMax
        while left > 0, let start = probes.cursor {
            guard let number = sets[NodeIndexKind.all.key()]?.first(from: start) else {
                probes.cursor = nil
                break
            }
            probes.cursor = number + 1
            left -= 1
            if let target = target(number, &engine, database, state) { targets.append(target) }
        }
        if !targets.isEmpty {
            probes.pendingCount += 1
            probe(
                ProbeRequest(
                    database: database, targets: targets, kind: settings.probe,
                    path: engine.config.string("fog-probe-path"),
                    timeoutMilliseconds: settings.probeTimeoutMilliseconds))
        }
        return probes.cursor != nil
    }

    private static let addressField = Array("addr".utf8)
    private static let probeField = Array("probe".utf8)

    private func target(
        _ number: Int, _ engine: inout Engine, _ database: Int, _ state: CoordinatorState
    ) -> ProbeRequest.Target? {
        let status = nodes[number].status
        guard status == .active || status == .failed else { return nil }
        let id = id(number)
        let (address, probe) = (NodeIndex.addressField, NodeIndex.probeField)
        let key = NodeIndex.key(id, state)
        guard let slot = (try? engine.recordSlot(key.span, in: database)) ?? nil else { return nil }
        if status == .failed {
            var isOurs = false
            slot.entry.fieldValue(probe.span, now: engine.keyspace.now)?.withText { isOurs = $0.equals("failed") }
            guard isOurs else { return nil }
        }
        var text = ""
        slot.entry.fieldValue(address.span, now: engine.keyspace.now)?.withText { bytes in
            if bytes.count <= 256 { text = bytes.text }
        }
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]) else { return nil }
        let host = text[..<colon].drop { $0 == "[" }.prefix { $0 != "]" }
        return ProbeRequest.Target(id: id, host: String(host), port: port)
    }

    private static func key(_ id: [UInt8], _ state: CoordinatorState) -> ByteBuffer {
        var key = ByteBuffer()
        key.append(state.prefix)
        key.append(RecordKind.node.prefix)
        key.append(id)
        return key
    }

    /// A node answered, or did not.
    func noteProbe(_ id: [UInt8], isWell: Bool, _ engine: inout Engine, _ database: Int, _ state: CoordinatorState) {
        guard let number = number(id.span) else { return }
        let node = nodes[number]
        let now = engine.keyspace.now
        var fields = RecordFields()
        var change: (old: NodeStatus, new: NodeStatus)?
        if node.status == .active && !isWell {
            fields.add(NodeField.status.name, text: NodeStatus.failed.name)
            fields.add("probe", text: "failed")
            change = (.active, .failed)
        } else if node.status == .failed && isWell {
            fields.add(NodeField.status.name, text: NodeStatus.active.name)
            fields.add("probe", text: "ok")
            fields.add(NodeField.heartbeat.name, decimal: now)
            change = (.failed, .active)
        } else if isWell, now - node.heartbeat >= Int64(settings.heartbeatIntervalSeconds) * 1000 {
            fields.add(NodeField.heartbeat.name, decimal: now)
        } else {
            return
        }
        let seconds = node.timeToLiveSeconds > 0 ? Int(node.timeToLiveSeconds) : settings.defaultTTLSeconds
        let expiry: RecordExpiry = isWell && seconds > 0 ? .at(now + Int64(seconds) * 1000) : .kept
        let key = NodeIndex.key(id, state)
        do throws(CommandError) {
            guard try engine.recordSlot(key.span, in: database) != nil else { return }
            try engine.setRecord(key.span, in: database, fields, expiry: expiry, tells: false)
            if let slot = try engine.recordSlot(key.span, in: database) { read(id.span, slot.entry, now: now) }
        } catch {
            // Something else has the key by now, which its mark will tell.
            return
        }
        if let change { FleetEvents.statusChanged(id.span, from: change.old, to: change.new, &engine) }
    }
}

extension Engine {
    /// What a request's targets answered, in their order.
    package mutating func finishProbes(_ request: ProbeRequest, _ answers: [Bool]) {
        guard let state = coordination as? CoordinatorState else { return }
        keyspace.now = clock.nowMilliseconds
        guard let nodes = state.knownNodes(request.database, &self) else { return }
        nodes.probes.pendingCount = max(0, nodes.probes.pendingCount - 1)
        for (target, isWell) in zip(request.targets, answers) {
            nodes.noteProbe(target.id, isWell: isWell, &self, request.database, state)
        }
        finishOutsideOfCommand()
    }
}
