// Engine+HotKeys.swift - HOTKEYS: following commands while a session runs. Dispatch pays nothing for it: while one runs
// every command is "slow" (`slowTicks` is 0), and comes to `noteSlow`, which is out of line, and from there here. Under
// the turn.
internal import Base
internal import Keyspace
internal import RESP

extension Engine {
    /// START. False when a session runs already; one that has ended is replaced.
    package mutating func startHotKeys(_ request: HotKeys.Request) -> Bool {
        endHotKeysIfDue()
        if hotKeys?.isActive == true { return false }
        hotKeys = HotKeys(request, now: keyspace.now)
        armSlowness()
        return true
    }

    /// STOP. False when none runs.
    package mutating func stopHotKeys() -> Bool {
        endHotKeysIfDue()
        guard hotKeys?.isActive == true else { return false }
        hotKeys?.stop(at: keyspace.now)
        armSlowness()
        return true
    }

    /// RESET. False while one runs.
    package mutating func forgetHotKeys() -> Bool {
        endHotKeysIfDue()
        if hotKeys?.isActive == true { return false }
        hotKeys = nil
        return true
    }

    /// A session whose DURATION is over ends with it. Also called by the clock.
    package mutating func endHotKeysIfDue() {
        guard let hotKeys, hotKeys.isActive, let deadline = hotKeys.deadline, keyspace.now >= deadline else { return }
        self.hotKeys?.stop(at: deadline)
        armSlowness()
    }

    /// From how many ticks on a command is of interest to anybody.
    mutating func armSlowness() {
        slowTicks = hotKeys?.isActive == true ? 0 : min(slowlogTicks, latency.thresholdTicks)
    }

    /// A command has run, in `elapsed` ticks.
    mutating func noteHotKeys(_ id: Int, _ arguments: borrowing Arguments, elapsed: UInt64, replyByteCount: Int) {
        // What a script calls was its own doing, for which its caller named the keys.
        guard context != .script else { return }
        var keys: [KeyReference] = []
        swap(&keys, &observer.keys)
        findKeys(id, arguments, &keys)
        if !keys.isEmpty {
            let ratio = UInt64(max(1, hotKeys?.request.sampleRatio ?? 1))
            let byteCount = arguments.wireByteCount + replyByteCount
            hotKeys?.note(ticks: elapsed, byteCount: byteCount)
            if ratio == 1 || random.next() % ratio == 0 {
                for key in keys {
                    hotKeys?.note(
                        arguments[key.index], ticks: elapsed / UInt64(keys.count), byteCount: byteCount / keys.count)
                }
            }
        }
        keys.removeAll(keepingCapacity: keys.count <= Observer.keptCount)
        swap(&keys, &observer.keys)
    }

    private func findKeys(_ id: Int, _ arguments: borrowing Arguments, _ keys: inout [KeyReference]) {
        switch commands.keyShape(id) {
        case .none: return
        case .one(let index, let use):
            if index < arguments.count { keys.append(KeyReference(index: index, flags: use)) }
        case .any:
            if KeyExtraction.append(keysOf: commands.commands[id], in: arguments, to: &keys) {
                keys.removeAll { $0.flags.contains(.notKey) }
            } else {
                keys.removeAll()
            }
        }
    }
}

extension Arguments {
    /// Bytes of the command as a multibulk request.
    var wireByteCount: Int {
        var total = 3 + IntegerText.byteCount(of: Int64(count))
        for index in 0..<count {
            let length = self[index].count
            total += 5 + IntegerText.byteCount(of: Int64(length)) + length
        }
        return total
    }
}
