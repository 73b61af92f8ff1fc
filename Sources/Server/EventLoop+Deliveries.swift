// EventLoop+Deliveries.swift - what the engine delivered for connections outside their own round: messages, replies of
// commands that waited, connections to close. Mail for many goes to the kernel together.
internal import Base
internal import Engine
internal import Reactor
internal import Synchronization

extension EventLoop {
    /// Takes what was posted while no batch of ours ran.
    mutating func takeDeliveries() {
        guard wasWoken else { return }
        wasWoken = false
        shared.turn.take { engine in
            engine.takeDeliveries(for: index, into: &mailBefore)
            refreshSettings(engine)
        }
        deliverMailBefore()
    }

    /// What others posted before our turn goes out before our replies.
    mutating func deliverMailBefore() {
        if mailBefore.items.isEmpty { return }
        var bag = Mailbag()
        swap(&bag, &mailBefore)
        deliver(bag)
        bag.removeAll()
        swap(&bag, &mailBefore)
    }

    /// What our commands posted to our own connections goes out behind our replies.
    mutating func deliverMailAfter() {
        if mailAfter.items.isEmpty { return }
        var bag = Mailbag()
        swap(&bag, &mailAfter)
        deliver(bag)
        bag.removeAll()
        swap(&bag, &mailAfter)
    }

    private mutating func deliver(_ bag: borrowing Mailbag) {
        if sendsTogether(bag.items.count) { return deliverTogether(bag) }
        for index in 0..<bag.items.count { deliver(bag.items[index], bag.bytes) }
    }

    mutating func deliver(_ item: Mailbag.Item, _ bytes: SharedBytes) {
        guard let connection = unsafe recipient(item) else { return }
        let isAlive: Bool
        if item.deliveries.isEmpty {
            isAlive = unsafe connection.pointee.send(bytes, item.tail)
        } else {
            isAlive = unsafe deliver(item, bytes, to: connection)
        }
        unsafe settleDelivery(connection, isAlive: isAlive)
    }

    @unsafe mutating func recipient(_ item: Mailbag.Item) -> UnsafeMutablePointer<Connection>? {
        guard let connection = unsafe connections.find(item.connection), unsafe !connection.pointee.isDoomed else {
            return nil
        }
        unsafe connection.pointee.isSubscriber = item.isSubscriber
        counters.writes &+= 1
        return unsafe connection
    }

    @unsafe mutating func settleDelivery(_ connection: UnsafeMutablePointer<Connection>, isAlive: Bool) {
        if isAlive {
            unsafe outputGrew(connection)
        } else {
            unsafe close(connection.pointee.token)
        }
    }

    /// Mail in several pieces: small ones are gathered, so that they cost one write. False when the client is gone.
    @unsafe private mutating func deliver(
        _ item: Mailbag.Item, _ bytes: SharedBytes, to connection: UnsafeMutablePointer<Connection>
    ) -> Bool {
        gathered.removeAll(keepingCapacity: EventLoop.gatheredByteCountMax * 4)
        for delivery in item.deliveries {
            switch delivery {
            case .output(let bytes): gathered.append(bytes)
            case .shared(let range):
                guard unsafe gather(bytes, range, for: connection) else { return false }
            case .resumed(let bytes):
                gathered.append(bytes)
                unsafe connection.pointee.isSuspended = false
                unsafe noteReadyInput(connection)
            case .resumedHeld(let bytes, let offset):
                guard unsafe connection.pointee.send(gathered.span) else { return false }
                gathered.removeAll(keepingCapacity: EventLoop.gatheredByteCountMax * 4)
                let hold = HeldReply(start: 0, end: bytes.count, offset: offset)
                unsafe connection.pointee.held.append(bytes.span, holds: CollectionOfOne(hold))
                unsafe noteHeld(connection)
                unsafe connection.pointee.isSuspended = false
                unsafe noteReadyInput(connection)
            case .closeAfterReply: unsafe connection.pointee.closesAfterOutput = true
            case .close: return false
            }
        }
        guard unsafe gather(bytes, item.tail, for: connection) else { return false }
        return unsafe connection.pointee.send(gathered.span)
    }

    /// Pieces up to this size are copied rather than written one by one.
    private static var gatheredByteCountMax: Int { 16 << 10 }

    @unsafe private mutating func gather(
        _ bytes: SharedBytes, _ range: Range<Int>, for connection: UnsafeMutablePointer<Connection>
    ) -> Bool {
        if range.count <= EventLoop.gatheredByteCountMax {
            bytes.buffer.copy(range, to: &gathered)
            return true
        }
        guard unsafe connection.pointee.send(gathered.span) else { return false }
        gathered.removeAll(keepingCapacity: EventLoop.gatheredByteCountMax * 4)
        return unsafe connection.pointee.send(bytes, range)
    }
}
