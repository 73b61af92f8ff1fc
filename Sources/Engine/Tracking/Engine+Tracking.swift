// Engine+Tracking.swift - switching CLIENT TRACKING on and off, and remembering what a tracking client reads. A client
// that tracks has a gate armed (`SessionGates.tracking`), so that others pay nothing. Under the turn.
internal import Base
internal import RESP

extension Engine {
    // MARK: on and off

    /// CLIENT TRACKING ON: what was asked before is replaced, prefixes are added to those that the client has.
    mutating func startTracking(
        _ session: SessionReference, _ options: TrackingOptions, redirection: UInt64, prefixes: [[UInt8]]
    ) {
        let tracking = session.session.tracking ?? ClientTracking()
        if session.session.tracking == nil {
            session.session.tracking = tracking
            trackers.clients.append(session)
        }
        tracking.isBroken = false
        tracking.options = options
        tracking.redirection = redirection
        if options.contains(.broadcast) {
            for prefix in prefixes.isEmpty ? [[]] : prefixes where !tracking.prefixes.contains(prefix) {
                tracking.add(prefix)
                trackers.broadcasts.add(prefix, session)
            }
        } else {
            session.session.gates.insert(.tracking)
        }
        armEffects()
    }

    /// CLIENT TRACKING OFF, RESET and disconnecting. What the client read is forgotten when it changes.
    package mutating func stopTracking(_ session: SessionReference) {
        guard let tracking = session.session.tracking else { return }
        for prefix in tracking.prefixes { trackers.broadcasts.remove(prefix, session) }
        trackers.clients.removeAll { $0 == session }
        session.session.tracking = nil
        session.session.gates.remove(.tracking)
        if !trackers.isOn { trackers.table.removeAll() }
        armEffects()
    }

    // MARK: remembering

    /// Behind every command of a tracking client, also inside transactions and scripts.
    @inline(never)
    mutating func noteRead(_ session: SessionReference, _ id: Int, _ arguments: borrowing Arguments) {
        guard let tracking = session.session.tracking else { return }
        let slot = commands.slot(id)
        let command = commands.commands[slot.command]
        // A script's own commands are looked at one by one.
        if slot.flags.contains(.readonly) && command.group != .scripting && tracking.remembers {
            rememberKeys(of: command, arguments, session.session.id)
        }
        // CLIENT CACHING holds for one command, or for all of a transaction.
        if tracking.isCaching && context == .client && !session.session.gates.contains(.queueing)
            && !commands.fullNames[id].hasPrefix("client|")
        {
            tracking.isCaching = false
        }
    }

    private mutating func rememberKeys(of command: Command, _ arguments: borrowing Arguments, _ client: UInt64) {
        var keys: [KeyReference] = []
        swap(&keys, &trackers.keys)
        if KeyExtraction.append(keysOf: command, in: arguments, to: &keys) {
            for key in keys { trackers.table.remember(arguments[key.index], client) }
        }
        keys.removeAll(keepingCapacity: keys.count <= 1024)
        swap(&keys, &trackers.keys)
        limitTrackingTable()
    }

    /// The client read a key that is none of its command's arguments.
    mutating func rememberRead(_ key: Span<UInt8>, by session: SessionReference) {
        guard let tracking = session.session.tracking, tracking.remembers else { return }
        trackers.table.remember(key, session.session.id)
        limitTrackingTable()
    }

    /// Keys given up in one go when there are too many, so that nobody waits long.
    private static var keysGivenUpMax: Int { 1000 }

    /// Above `tracking-table-max-keys` keys are given up as if they had changed. Also called by the clock.
    mutating func limitTrackingTable() {
        let maximum = settings.trackingTableMaxKeys
        guard maximum > 0, trackers.table.keyCount > maximum else { return }
        var left = Engine.keysGivenUpMax
        while left > 0, trackers.table.keyCount > maximum, let (key, clients) = trackers.table.takeAny() {
            invalidate(key.span, for: clients, isGivenUp: true)
            left -= 1
        }
    }

    // MARK: for INFO

    package var trackingClientCount: Int { trackers.clients.count }
    package var trackedKeyCount: Int { trackers.table.keyCount }
    package var trackedItemCount: Int { trackers.table.itemCount }
    package var trackedPrefixCount: Int { trackers.broadcasts.prefixCount }
}

extension Call {
    package func startTracking(_ options: TrackingOptions, redirection: UInt64, prefixes: [[UInt8]]) {
        administration.startTracking(sessionReference, options, redirection: redirection, prefixes: prefixes)
    }

    package func stopTracking() { administration.stopTracking(sessionReference) }

    /// CLIENT CACHING: the next command's keys are, or are not, to be remembered.
    package func setCaching() { session.tracking?.isCaching = true }
}
