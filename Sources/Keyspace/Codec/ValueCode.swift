// ValueCode.swift - numbers of RDB's format that reading and writing a value need: value types, the special string
// forms, versions. They are the public format of Redis and Valkey and never change.

package enum ValueCode {
    // MARK: types a value stands under

    package static let string: UInt8 = 0
    /// A list as its elements.
    package static let list: UInt8 = 1
    package static let set: UInt8 = 2
    /// A sorted set whose scores are text.
    package static let sortedSet: UInt8 = 3
    package static let hash: UInt8 = 4
    /// A sorted set whose scores are eight bytes, little endian.
    package static let sortedSet2: UInt8 = 5
    /// A hash as one zipmap (until Redis 2.6).
    package static let hashZipmap: UInt8 = 9
    package static let listZiplist: UInt8 = 10
    package static let setIntset: UInt8 = 11
    package static let sortedSetZiplist: UInt8 = 12
    package static let hashZiplist: UInt8 = 13
    /// A list as nodes, each a ziplist.
    package static let listQuicklist: UInt8 = 14
    package static let streamListpacks: UInt8 = 15
    package static let hashListpack: UInt8 = 16
    package static let sortedSetListpack: UInt8 = 17
    /// A list as nodes, each plain or a listpack.
    package static let listQuicklist2: UInt8 = 18
    package static let streamListpacks2: UInt8 = 19
    package static let setListpack: UInt8 = 20
    package static let streamListpacks3: UInt8 = 21
    /// Hashes whose fields may expire: 22 and 23 as the previews of Redis 7.4 wrote them, 24 and 25 as its releases
    /// do. In Valkey's dialect 22 is that server's own form of such a hash.
    package static let hashMetadataPreview: UInt8 = 22
    package static let hashListpackExpiringPreview: UInt8 = 23
    package static let hashMetadata: UInt8 = 24
    package static let hashListpackExpiring: UInt8 = 25
    package static let valkeyHashExpiring: UInt8 = 22

    // MARK: special forms of a string

    static let integer8: UInt8 = 0xC0
    static let integer16: UInt8 = 0xC1
    static let integer32: UInt8 = 0xC2
    static let compressed: UInt8 = 0xC3

    // MARK: versions

    /// What is written unless a value needs more: Redis 7.0 and everything after it reads this.
    package static let versionWritten = 10
    /// What a hash with expiring fields needs: Redis 7.4.
    package static let versionOfExpiringFields = 12
    /// The newest version of Redis' own numbering (8.2).
    package static let redisVersionMax = 12
    /// The version that Valkey 9 writes under its own magic word, and the only one of its numbering so far.
    package static let valkeyVersion = 80

    /// Whether a payload of this version can be read.
    static func canRead(version: Int) -> Bool { version <= redisVersionMax || version == valkeyVersion }

    /// The opcode before a record that says when its key dies, in milliseconds.
    package static let expiryMilliseconds: UInt8 = 252
    package static let selectDatabase: UInt8 = 254
}

/// Whose numbering a file or payload follows: the two families gave one number two meanings.
package enum ValueDialect: Sendable {
    case redis
    case valkey
}
