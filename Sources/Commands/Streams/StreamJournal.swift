// StreamJournal.swift - how the commands of consumer groups are recorded: as XCLAIM of exactly what was delivered and
// when, XGROUP SETID of where the group has come, XGROUP CREATECONSUMER. Run again, XREADGROUP itself would look at
// another clock and perhaps find other entries. The words are those of Redis 7.0.
internal import Base
internal import Engine
internal import RESP
internal import Structures

extension StreamID {
    /// The identifier as a word of the journal.
    func add(to words: inout JournalWords) {
        var text = ByteBuffer()
        append(to: &text)
        words.add(text.span)
    }
}

extension Call {
    /// Records that `pending` is what its consumer has. Replayed where the stream has lost the entry, it takes the
    /// entry out of the pending list.
    func propagateClaim(_ pending: StreamPending, of group: StreamGroup, key: Span<UInt8>) {
        propagate("XCLAIM") { words in
            words.add(key)
            words.add(group.name)
            words.add(pending.consumer.name)
            words.add("0")
            pending.id.add(to: &words)
            words.add("TIME")
            words.add(decimal: pending.deliveryTimeMilliseconds)
            words.add("RETRYCOUNT")
            words.add(decimal: Int64(clamping: pending.deliveryCount))
            words.add("FORCE")
            words.add("JUSTID")
            words.add("LASTID")
            group.lastID.add(to: &words)
        }
    }

    /// Records how far a group has come.
    func propagatePlace(of group: StreamGroup, key: Span<UInt8>) {
        propagate("XGROUP") { words in
            words.add("SETID")
            words.add(key)
            words.add(group.name)
            group.lastID.add(to: &words)
            words.add("ENTRIESREAD")
            words.add(decimal: group.entriesRead)
        }
    }

    /// Records a consumer that came to be by the way.
    func propagate(_ consumer: StreamConsumer, of group: StreamGroup, key: Span<UInt8>) {
        propagate("XGROUP") { words in
            words.add("CREATECONSUMER")
            words.add(key)
            words.add(group.name)
            words.add(consumer.name)
        }
    }
}
