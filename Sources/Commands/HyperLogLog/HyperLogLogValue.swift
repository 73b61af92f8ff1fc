// HyperLogLogValue.swift - what the HyperLogLog commands share: the check of a string that claims to be one, a copy to
// work on, and writing it back. Engine's turn; nothing here trusts the bytes, clients can SET them.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum HyperLogLogValue {
    static func error(_ fault: HyperLogLog.Fault) -> CommandError {
        switch fault {
        case .notHyperLogLog: .message("WRONGTYPE Key is not a valid HyperLogLog string value.")
        case .corrupted: .message("INVALIDOBJ Corrupted HLL object detected")
        }
    }

    /// The encoding of a string entry, whose header is right when this returns: `stringBytes` may then be used.
    static func encoding(of entry: Entry) throws(CommandError) -> HyperLogLog.Encoding {
        // What is kept as an integer has no magic in front.
        guard entry.integerValue == nil else { throw error(.notHyperLogLog) }
        do throws(HyperLogLog.Fault) {
            return try HyperLogLog.encoding(of: entry.stringBytes())
        } catch {
            throw self.error(error)
        }
    }

    /// The bytes of a checked entry, or an empty HyperLogLog where there is none.
    static func copy(_ entry: Entry?) -> ByteBuffer {
        var value = ByteBuffer()
        if let entry {
            value.append(entry.stringBytes())
        } else {
            HyperLogLog.appendEmpty(to: &value)
        }
        return value
    }

    /// Writes a HyperLogLog to the key in argument `index`, whose slot the caller looked up; an expiry stays.
    static func store(_ value: Span<UInt8>, _ call: borrowing Call, _ index: Int, _ slot: EntryTable.Slot?) {
        let hash = call.hash(index)
        let database = call.session.database
        if slot.map({ $0.entry.stringByteCount > value.count }) ?? true {
            // New, or shorter than before because runs were joined: strings are edited in place only while they grow.
            let expiry = slot?.entry.expiry
            call.keyspace.setText(
                call.arguments[index], hash: hash, in: database, slot: slot, value: value, expiry: expiry)
        }
        // Raw-encoded whatever its length, as OBJECT ENCODING answers for a string that was edited.
        guard let current = slot ?? call.find(index) else { return }
        call.keyspace.overwriteString(current, hash: hash, in: database, at: 0, with: value)
    }
}
