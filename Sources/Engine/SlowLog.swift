// SlowLog.swift - SLOWLOG and COMMANDLOG: bounded logs of commands that took long, or whose request or reply was
// large. An entry keeps at most 32 arguments of at most 128 bytes, as Redis does, so a log's memory is bounded too.
internal import Base
internal import RESP

package struct SlowLog {
    package struct Entry: Sendable {
        package let id: Int
        package let seconds: Int64
        /// Microseconds, or bytes in the size logs.
        package let value: Int
        package let arguments: [[UInt8]]
        package let address: String
        package let clientName: String
    }

    private static let argumentsMax = 32
    private static let argumentByteCountMax = 128

    /// Newest last.
    private var entries: [Entry] = []
    private var nextId = 0
    private var maximum = 128

    package init() {}

    package var count: Int { entries.count }

    /// The newest `limit` entries, newest first.
    package func newest(_ limit: Int) -> [Entry] { Array(entries.suffix(max(0, limit)).reversed()) }

    package mutating func removeAll() { entries = [] }

    mutating func setMaximum(_ value: Int) {
        maximum = max(0, value)
        trim()
    }

    private mutating func trim() {
        if entries.count > maximum { entries.removeFirst(entries.count - maximum) }
    }

    mutating func add(_ arguments: [[UInt8]], value: Int, seconds: Int64, address: String, name: String) {
        entries.append(
            Entry(
                id: nextId, seconds: seconds, value: value, arguments: arguments, address: address, clientName: name))
        nextId += 1
        trim()
    }

    /// What an entry keeps of a command line; `isSecret` tells which arguments nobody may read later.
    static func copy(_ arguments: borrowing Arguments, isSecret: (Int) -> Bool) -> [[UInt8]] {
        let isCut = arguments.count > argumentsMax
        let kept = isCut ? argumentsMax - 1 : arguments.count
        var copies: [[UInt8]] = []
        for index in 0..<kept {
            if isSecret(index) {
                copies.append(Array("(redacted)".utf8))
                continue
            }
            let bytes = arguments[index]
            if bytes.count > argumentByteCountMax {
                let note = "... (\(bytes.count - argumentByteCountMax) more bytes)"
                copies.append(bytes.prefixView(argumentByteCountMax).array + Array(note.utf8))
            } else {
                copies.append(bytes.array)
            }
        }
        if isCut { copies.append(Array("... (\(arguments.count - kept) more arguments)".utf8)) }
        return copies
    }
}

extension Engine {
    /// Looks at a command that was slow or large.
    @inline(never)
    mutating func noteSlow(
        _ reference: SessionReference, _ id: Int, _ arguments: borrowing Arguments, elapsed: UInt64,
        replyByteCount: Int
    ) {
        if hotKeys?.isActive == true {
            noteHotKeys(id, arguments, elapsed: elapsed, replyByteCount: replyByteCount)
        }
        var requestByteCount = 0
        for index in 0..<arguments.count { requestByteCount += arguments[index].count }
        let isSlow = elapsed >= slowlogTicks
        let isLargeRequest = requestByteCount >= largeRequestByteCount
        let isLargeReply = replyByteCount >= largeReplyByteCount
        // A script's commands come here because their words lie apart, which says nothing about their size.
        guard isSlow || isLargeRequest || isLargeReply || elapsed >= latency.thresholdTicks else { return }
        let flags = commands.slot(id).flags
        guard !flags.contains(.skipSlowlog) else { return }
        let seconds = clock.nowMilliseconds / 1000
        if elapsed >= latency.thresholdTicks {
            latency.add(
                flags.contains(.fast) ? "fast-command" : "command", ticks: elapsed, seconds: seconds)
        }
        guard isSlow || isLargeRequest || isLargeReply else { return }
        let kept = SlowLog.copy(arguments) { isSecret(arguments, $0, of: id) }
        let (address, name) = (reference.session.address, reference.session.name)
        if isSlow {
            let microseconds = Int(Double(elapsed) / Ticks.perMicrosecond)
            slowlog.add(kept, value: microseconds, seconds: seconds, address: address, name: name)
        }
        if isLargeRequest {
            largeRequests.add(kept, value: requestByteCount, seconds: seconds, address: address, name: name)
        }
        if isLargeReply {
            largeReplies.add(kept, value: replyByteCount, seconds: seconds, address: address, name: name)
        }
    }

    /// Counts an error reply that starts at `mark`, by its first word.
    @unsafe @inline(never)
    mutating func noteError(_ output: UnsafeMutablePointer<ByteBuffer>, mark: Int) {
        if isErrorCounted { return isErrorCounted = false }
        statistics.errorReplies += 1
        let bytes = unsafe output.pointee.span
        var end = mark + 1
        while end < bytes.count, bytes[end] != 32, bytes[end] != 13, end - mark < 64 { end += 1 }
        let code = bytes.extracting((mark + 1)..<end).text
        if statistics.errors[code] != nil || statistics.errors.count < Engine.errorKindsMax {
            statistics.errors[code, default: 0] += 1
        }
    }

    /// Scripts may invent error codes; INFO does not grow without end.
    private static var errorKindsMax: Int { 128 }
}

extension Engine {
    /// Counts an error that the protocol layer answered without a command.
    package mutating func noteProtocolError() {
        statistics.errorReplies += 1
        statistics.errors["ERR", default: 0] += 1
    }
}
