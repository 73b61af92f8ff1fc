// Call+Propagate.swift - how a handler tells the journal that its command must not be recorded as it was sent.
//
// Say nothing when running the same words again, later or elsewhere, does the same: RPUSH, HSET, SADD, DEL. Otherwise
// call one of these after the change, any number of times; what was said replaces the command's own words, in order:
//
//     call.propagate("DEL", call.arguments[1])                            GETDEL k          -> DEL k
//     call.propagate("PEXPIREAT", call.arguments[1], decimal: time)       GETEX k EX 10     -> PEXPIREAT k <time>
//     call.propagate("SREM") { words in                                   SPOP k 2          -> SREM k a b
//         words.add(key)
//         for member in popped { words.add(member) }
//     }
//     call.propagateNothing()                                             changed, but nobody may repeat it
//     call.propagateAlways()                                              FLUSHALL of nothing, FUNCTION LOAD: recorded
//                                                                         as sent although no key changed
//     call.propagateAlways(to: .replicas)                                 PUBLISH: not for the file
//
// What needs it: whatever is random (SPOP), looks at the clock (EXPIRE, SET EX, XADD *), computes with floats
// (INCRBYFLOAT), waits (BLPOP -> LPOP), or is spelled with words that Redis 7.0 does not know although it has the type
// (SET IFEQ -> SET): the file must open there. Nothing is built while nobody reads the journal; do not ask first.
// A command that threw or changed nothing records nothing unless it called one of these.
internal import Base
internal import RESP

extension Call {
    /// Whether anybody reads the journal; only for handlers that would have to collect what they want to say.
    package var isJournaled: Bool { administration.journal.isOn }

    /// Records a command that `body` spells, its name included in front, in place of the running one.
    package func propagate(
        _ name: StaticString, database: Int? = nil, to readers: JournalReaders = .all,
        _ body: (inout JournalWords) -> Void
    ) {
        guard administration.journal.isOn else { return }
        administration.journal.form = .replaced
        administration.journal.add(database: database ?? session.database, readers: readers) { words in
            words.add(name)
            body(&words)
        }
    }

    /// Records `name key` in place of the running command.
    package func propagate(_ name: StaticString, _ key: Span<UInt8>) {
        propagate(name) { words in words.add(key) }
    }

    /// Records `name key number` in place of the running command.
    package func propagate(_ name: StaticString, _ key: Span<UInt8>, decimal: Int64) {
        propagate(name) { words in
            words.add(key)
            words.add(decimal: decimal)
        }
    }

    /// Records `name key word` in place of the running command.
    package func propagate(_ name: StaticString, _ key: Span<UInt8>, _ word: Span<UInt8>) {
        propagate(name) { words in
            words.add(key)
            words.add(word)
        }
    }

    /// Records `SET key value`, with the moment it ends when it has one: what every command comes down to that writes
    /// a string in a way the file's other readers may not know.
    package func propagateSet(_ key: Span<UInt8>, _ value: Span<UInt8>, expiry: Int64?) {
        propagate("SET") { words in
            words.add(key)
            words.add(value)
            guard let expiry else { return }
            words.add("PXAT")
            words.add(decimal: expiry)
        }
    }

    /// Records the removal of `key` because its time had passed when the command came.
    package func propagateExpiry(_ key: Span<UInt8>) {
        propagate(settings.lazyfreeLazyExpire ? "UNLINK" : "DEL", key)
    }

    /// Records, besides what else is recorded, a command that only Fog understands: in the file, as a remark that stock
    /// servers pass over. What they have without it must be right for them.
    package func remark(_ name: StaticString, database: Int? = nil, _ body: (inout JournalWords) -> Void) {
        guard administration.journal.isOn else { return }
        administration.journal.form = .replaced
        administration.journal.add(database: database ?? session.database, readers: .file, isRemark: true) { words in
            words.add(name)
            body(&words)
        }
    }

    /// Records nothing, whatever the command changed.
    package func propagateNothing() {
        if administration.journal.isOn { administration.journal.form = .replaced }
    }

    /// Records the command as it was sent, whatever it changed.
    package func propagateAlways(to readers: JournalReaders = .all) {
        guard administration.journal.isOn else { return }
        if readers == .all { return administration.journal.form = .always }
        let words = arguments
        administration.journal.form = .replaced
        administration.journal.add(database: session.database, readers: readers) { $0.add(words) }
    }
}
