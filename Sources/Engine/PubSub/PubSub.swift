// PubSub.swift - who listens to what, for the whole server. Changed by Engine+Subscribing, read by Engine+Publishing.
// Under the turn.
internal import Base

package struct PubSub: ~Copyable {
    private(set) var channels = ChannelTable()
    private(set) var patterns = ChannelTable()
    private(set) var shardChannels = ChannelTable()
    var patternIndex = PatternIndex()
    /// Clients with at least one subscription.
    package internal(set) var clientCount = 0
    /// Patterns that may match the channel being published to; kept, so that a PUBLISH takes no memory.
    var candidates: [Int] = []
    /// Where names of notification channels are written; kept, so that a notification takes no memory.
    var notification = ByteBuffer()
    /// Grows with every message, so that loops know whether they have its frame already.
    var messageSerial: UInt64 = 0

    /// For those who come and go; publishing reads the tables themselves, which costs no coroutine.
    package subscript(kind: SubscriptionKind) -> ChannelTable {
        _read {
            switch kind {
            case .channel: yield channels
            case .pattern: yield patterns
            case .shardChannel: yield shardChannels
            }
        }
        _modify {
            switch kind {
            case .channel: yield &channels
            case .pattern: yield &patterns
            case .shardChannel: yield &shardChannels
            }
        }
    }
}
