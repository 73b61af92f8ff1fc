// Poller.swift - one epoll set. Events carry a 64-bit token that the owner chose (connection number and generation), so
// a stale event can never hit a reused descriptor. Level-triggered: what was not read is reported again. One thread.
package import Base
internal import CLinux

@safe package struct Poller: ~Copyable {
    package struct Interest: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let read = Interest(rawValue: EPOLLIN.rawValue)
        package static let write = Interest(rawValue: EPOLLOUT.rawValue)
        /// The peer closed its writing half.
        package static let hangup = Interest(rawValue: EPOLLRDHUP.rawValue)
    }

    package struct Event {
        package let token: UInt64
        package let isReadable: Bool
        package let isWritable: Bool
        /// Error or full hang-up: reading will tell.
        package let isBroken: Bool
        package let isHangup: Bool
    }

    /// Events taken from the kernel at once.
    private static let eventsMax = 512
    private let descriptor: Int32
    private let events: UnsafeMutablePointer<epoll_event>

    package init() throws(SystemError) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        unsafe events = .allocate(capacity: Poller.eventsMax)
        guard descriptor >= 0 else { throw SystemError(operation: "epoll_create1") }
    }

    deinit {
        close(descriptor)
        unsafe events.deallocate()
    }

    package func add(_ descriptor: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_ADD, descriptor, interest, token)
    }

    package func modify(_ descriptor: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_MOD, descriptor, interest, token)
    }

    /// Takes the descriptor out; closing it does the same.
    package func remove(_ descriptor: Int32) {
        var event = unsafe epoll_event()
        unsafe epoll_ctl(self.descriptor, EPOLL_CTL_DEL, descriptor, &event)
    }

    private func control(
        _ operation: Int32, _ descriptor: Int32, _ interest: Interest, _ token: UInt64
    ) throws(SystemError) {
        var event = unsafe epoll_event()
        unsafe event.events = interest.rawValue
        unsafe event.data.u64 = token
        guard unsafe epoll_ctl(self.descriptor, operation, descriptor, &event) == 0 else {
            throw SystemError(operation: "epoll_ctl")
        }
    }

    /// Waits at most `timeoutMilliseconds` (-1: without end) and returns how many events there are.
    package func wait(timeoutMilliseconds: Int) -> Int {
        let timeout = Int32(clamping: timeoutMilliseconds)
        let count = unsafe epoll_wait(descriptor, events, Int32(Poller.eventsMax), timeout)
        return count > 0 ? Int(count) : 0
    }

    /// Event `index` of the last wait.
    @inline(__always)
    package func event(_ index: Int) -> Event {
        precondition(index >= 0 && index < Poller.eventsMax, "event index outside the last wait")
        let event = unsafe events[index]
        let bits = unsafe event.events
        return Event(
            token: unsafe event.data.u64, isReadable: bits & EPOLLIN.rawValue != 0,
            isWritable: bits & EPOLLOUT.rawValue != 0,
            isBroken: bits & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0, isHangup: bits & EPOLLRDHUP.rawValue != 0)
    }
}
