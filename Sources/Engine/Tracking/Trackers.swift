// Trackers.swift - CLIENT TRACKING for the whole server: who tracks, what was read, which prefixes are watched. Changed
// by Engine+Tracking and Engine+Invalidation only. Under the turn.

struct Trackers {
    /// Clients that track, in the order in which they began.
    var clients: [SessionReference] = []
    var table = TrackingTable()
    var broadcasts = BroadcastTable()
    /// Keys of the command that is looked at; kept, so that remembering takes no memory.
    var keys: [KeyReference] = []

    var isOn: Bool { @inline(__always) get { !clients.isEmpty } }
}
