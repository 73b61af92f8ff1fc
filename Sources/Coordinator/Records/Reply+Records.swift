// Reply+Records.swift - records and statistics as replies: a map in RESP3, a flat array in RESP2.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

extension Reply {
    /// All fields of a record.
    func fields(of entry: Entry, now: Int64) {
        map(entry.liveFieldCount(now: now))
        entry.forEachField(now: now) { field, value, _ in
            field.withText { bulk($0) }
            value.withText { bulk($0) }
        }
    }

    func pair(_ name: StaticString, _ value: Int) {
        bulk(name)
        integer(value)
    }

    func pair(_ name: StaticString, double value: Double) {
        bulk(name)
        double(value)
    }

    func pair(_ name: StaticString, text value: StaticString) {
        bulk(name)
        bulk(value)
    }

    func pair(_ name: StaticString, bytes value: Span<UInt8>) {
        bulk(name)
        bulk(value)
    }
}
