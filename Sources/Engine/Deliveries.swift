// Deliveries.swift - what the engine has for connections of other loops, or of this loop outside their own turn: bytes
// to send, commands that ended, connections to close. Posted and drained under the turn, so their order relative to
// every reply is the order of the turn. A loop that sleeps is woken once.
internal import Base
internal import Synchronization

package enum Delivery: Sendable {
    /// Bytes for the connection's output.
    case output([UInt8])
    /// A suspended command ended with this reply; the connection reads on.
    case resumed([UInt8])
    /// Close once the output so far is written.
    case closeAfterReply
    /// Close at once.
    case close
}

/// One loop as the engine sees it.
package struct LoopPort: Sendable {
    package typealias Posted = (connection: UInt64, delivery: Delivery)
    /// Wakes the loop's thread; called at most once per drain.
    let wake: @Sendable () -> Void
    var posted: [Posted] = []

    init(wake: @escaping @Sendable () -> Void) { self.wake = wake }
}

extension Engine {
    /// Announces a loop; its number is its place in `loops`. Called before any loop runs.
    package mutating func addLoop(wake: @escaping @Sendable () -> Void) { loops.append(LoopPort(wake: wake)) }

    /// Posts to the session's connection.
    package mutating func deliver(_ delivery: Delivery, to session: SessionReference) {
        let loop = session.session.loop
        if loops[loop].posted.isEmpty { loops[loop].wake() }
        loops[loop].posted.append((session.session.connection, delivery))
    }

    /// What was posted for `loop` since the last call. Costs one compare when there is nothing.
    @inline(__always)
    package mutating func takeDeliveries(for loop: Int) -> [LoopPort.Posted]? {
        if _fastPath(loops[loop].posted.isEmpty) { return nil }
        let taken = loops[loop].posted
        loops[loop].posted = []
        return taken
    }
}
