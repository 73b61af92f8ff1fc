// KeyIdentity.swift - a key as WATCH and waiting clients keep it beyond the command that named it: its database, its
// bytes and their hash. Tables of them are indexed by the hash alone, so a key that a command has at hand is looked up
// without being copied. Under the turn.
internal import Base

struct KeyIdentity: Equatable {
    let hash: UInt64
    let database: Int
    let bytes: [UInt8]

    static func == (left: KeyIdentity, right: KeyIdentity) -> Bool {
        left.hash == right.hash && left.database == right.database && left.bytes == right.bytes
    }

    func spells(_ key: Span<UInt8>) -> Bool {
        guard key.count == bytes.count else { return false }
        for index in 0..<key.count where bytes[index] != key[index] { return false }
        return true
    }
}
