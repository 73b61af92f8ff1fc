// EventLoop+Sends.swift - the sends of one moment to many connections as one system call (Reactor/SendBatch): replies
// of a round in which many clients wrote, messages to many subscribers. What is special about a connection goes the
// usual way.
internal import Base
internal import Engine
internal import Reactor

extension EventLoop {
    /// Fewer sends go by a system call each.
    private static var sendsTogetherMin: Int { 4 }

    /// Whether so many sends may go together. The means for it are made when they are first of use.
    mutating func sendsTogether(_ count: Int) -> Bool {
        guard count >= EventLoop.sendsTogetherMin, !hasNoSends else { return false }
        if sends == nil { makeSends() }
        return !hasNoSends
    }

    @inline(never)
    private mutating func makeSends() {
        do throws(SystemError) {
            sends = try SendBatch()
        } catch {
            hasNoSends = true
            Log.shared.verbose("Replies to many clients are sent one by one: \(error.description)")
        }
    }

    // MARK: replies

    /// Sends what the batch has for connections that keep up; what became of it is left in `sentReplies`.
    mutating func sendRepliesTogether() {
        if !sentReplies.isEmpty { sentReplies.removeAll(keepingCapacity: true) }
        guard batch.holds.isEmpty, sendsTogether(batch.segments.count) else { return }
        sentReplies.append(contentsOf: repeatElement(nil, count: batch.segments.count))
        for number in 0..<batch.segments.count {
            let segment = batch.segments[number]
            let byteCount = segment.outputEnd - segment.outputStart
            let token = UInt64(UInt(bitPattern: segment.connection))
            guard byteCount > 0, let connection = unsafe connections.find(token), unsafe !connection.pointee.isDoomed,
                unsafe connection.pointee.pendingOutput == 0, unsafe !repliesExceedLimit(connection, byteCount)
            else { continue }
            let start = unsafe UnsafePointer(batch.output.pointer) + segment.outputStart
            unsafe sends?.add(connection.pointee.descriptor, start, count: byteCount, owner: number)
            if sends?.isFull == true { finishReplies() }
        }
        finishReplies()
    }

    private mutating func finishReplies() {
        let count = sends?.send() ?? 0
        for number in 0..<count {
            guard let outcome = sends?.outcome(number) else { continue }
            sentReplies[outcome.owner] = outcome.transfer
        }
    }

    // MARK: replies that had waited

    /// Sends the front of what was let go together with others'.
    @unsafe mutating func addReleased(_ connection: UnsafeMutablePointer<Connection>) {
        guard let (start, count) = unsafe connection.pointee.output.front else {
            return unsafe flushReleased(connection)
        }
        let owner = unsafe Int(bitPattern: UInt(connection.pointee.token))
        unsafe sends?.add(connection.pointee.descriptor, start, count: count, owner: owner)
        if sends?.isFull == true { finishReleased() }
    }

    mutating func finishReleased() {
        let count = sends?.send() ?? 0
        for number in 0..<count {
            guard let outcome = sends?.outcome(number),
                let connection = unsafe connections.find(UInt64(UInt(bitPattern: outcome.owner)))
            else { continue }
            if outcome.transfer == .closed {
                unsafe close(connection.pointee.token)
                continue
            }
            if case .bytes(let count) = outcome.transfer { unsafe connection.pointee.took(count) }
            unsafe flushReleased(connection)
        }
    }

    // MARK: mail

    /// What is a single piece for a client that keeps up is sent together, everything else as usual.
    mutating func deliverTogether(_ bag: borrowing Mailbag) {
        for index in 0..<bag.items.count {
            let item = bag.items[index]
            if item.deliveries.isEmpty, let connection = unsafe connections.find(item.connection),
                unsafe connection.pointee.pendingOutput == 0 && !connection.pointee.isDoomed
            {
                let start = unsafe UnsafePointer(bag.bytes.buffer.pointer) + item.tail.lowerBound
                unsafe sends?.add(connection.pointee.descriptor, start, count: item.tail.count, owner: index)
                if sends?.isFull == true { finishDeliveries(bag) }
            } else {
                deliver(item, bag.bytes)
            }
        }
        finishDeliveries(bag)
    }

    private mutating func finishDeliveries(_ bag: borrowing Mailbag) {
        let count = sends?.send() ?? 0
        for number in 0..<count {
            guard let outcome = sends?.outcome(number) else { continue }
            let item = bag.items[outcome.owner]
            guard let connection = unsafe recipient(item) else { continue }
            var start = item.tail.lowerBound
            if case .bytes(let count) = outcome.transfer {
                start += count
                unsafe connection.pointee.networkOutput += count
            }
            let isGone = outcome.transfer == .closed
            let isAlive = unsafe !isGone && connection.pointee.send(bag.bytes, start..<item.tail.upperBound)
            unsafe settleDelivery(connection, isAlive: isAlive)
        }
    }
}
