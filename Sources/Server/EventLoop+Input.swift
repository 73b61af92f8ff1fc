// EventLoop+Input.swift - what a connection keeps of its input in a buffer of its own: commands that have not arrived
// completely, and commands that wait until the client reads its replies. How much is read at once, and what a read
// brought. Everything else is read into the loop's arena (EventLoop.swift).
internal import Base
internal import Engine
internal import RESP
internal import Reactor

extension EventLoop {
    /// Goes on reading an open command: of a large argument until nothing more is there, for each read lets the system
    /// take more from the sender. False when nothing is to be parsed.
    @unsafe mutating func readOn(_ connection: UnsafeMutablePointer<Connection>) -> Bool {
        let token = unsafe connection.pointee.token
        var total = 0
        while true {
            let room = unsafe reserveInput(connection)
            guard let count = unsafe readInput(connection, room) else {
                return unsafe total > 0 && connections.find(token) != nil
            }
            total += count
            let held = unsafe connection.pointee.input.count
            let missing = unsafe connection.pointee.parser.missingByteCount(received: held)
            let isLarge = unsafe connection.pointee.parser.headByteCount > 0
            if count < room && !isLarge || missing == 0 || total >= EventLoop.readAtOnceMax { return true }
        }
    }

    /// Others wait while one client's large argument is read.
    private static var readAtOnceMax: Int { 1 << 20 }

    /// Reserves what the next read of an open command may bring. At most as much again as has arrived, and a little
    /// more rather than a small rest: memory follows bytes received, not bytes announced. For a large argument it is no
    /// byte more than the argument has, so that what its client holds does not depend on how it came in pieces.
    @unsafe private func reserveInput(_ connection: UnsafeMutablePointer<Connection>) -> Int {
        let held = unsafe connection.pointee.input.count
        let missing = unsafe connection.pointee.parser.missingByteCount(received: held)
        let most = max(held, EventLoop.readByteCountMax)
        if unsafe connection.pointee.parser.headByteCount > 0 && missing > 0 {
            let room = missing <= most + EventLoop.readByteCountMin ? missing : most
            unsafe connection.pointee.input.reserveExactly(room)
            return room
        }
        let room = max(EventLoop.readByteCountMin, min(missing, most))
        unsafe connection.pointee.input.reserve(room)
        return room
    }

    /// Reads into the connection's own buffer, which has the room: how many bytes, nil when nothing came.
    @unsafe private mutating func readInput(
        _ connection: UnsafeMutablePointer<Connection>, _ room: Int
    ) -> Int? {
        let descriptor = unsafe connection.pointee.descriptor
        let target = unsafe connection.pointee.input.pointer + connection.pointee.input.count
        guard case .bytes(let count) = unsafe received(connection, Socket.read(descriptor, target, count: room))
        else { return nil }
        unsafe connection.pointee.input.commit(count)
        unsafe reportBuffers(connection)
        return count
    }

    /// The client does not read its replies: its commands wait, but they are taken off its hands. One that writes all
    /// of a pipeline before it reads would otherwise wait for us while we wait for it.
    @unsafe mutating func readAhead(_ connection: UnsafeMutablePointer<Connection>) {
        unsafe connection.pointee.input.reserve(EventLoop.readByteCountMax)
        guard unsafe readInput(connection, EventLoop.readByteCountMax) != nil else { return }
        if unsafe isReadingPaused(connection) { unsafe settleInterest(connection) }
    }

    /// Accounts for a read; closes on end of stream.
    @unsafe mutating func received(
        _ connection: UnsafeMutablePointer<Connection>, _ result: Socket.Transfer
    ) -> Socket.Transfer {
        switch result {
        case .bytes(let count):
            counters.reads &+= 1
            unsafe connection.pointee.networkInput += count
            unsafe connection.pointee.lastActivity = now
        case .ended: unsafe endInput(connection)
        case .closed: unsafe close(connection.pointee.token)
        case .wouldBlock: break
        }
        return result
    }

    /// The client sends nothing more: what it sent before is still run and answered.
    @unsafe mutating func endInput(_ connection: UnsafeMutablePointer<Connection>) {
        unsafe connection.pointee.hasEndedInput = true
        if unsafe connection.pointee.pendingOutput == 0 && !connection.pointee.hasReadyInput {
            return unsafe close(connection.pointee.token)
        }
        unsafe settleInterest(connection)
    }
}
