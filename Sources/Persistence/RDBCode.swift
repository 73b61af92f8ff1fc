// RDBCode.swift - the opcodes and head of an RDB file. Types of values and forms of strings stand in Keyspace's
// `ValueCode`. They are the public format of Redis and Valkey and never change.
internal import Base
package import Keyspace

package enum RDBCode {
    /// State of a slot that Valkey is importing; 244: a cluster slot's number of keys.
    static let slotImport: UInt8 = 243
    static let slotInfo: UInt8 = 244
    /// A library of functions; 246: its form in a preview of Redis 7.0.
    static let function: UInt8 = 245
    static let functionPreview: UInt8 = 246
    static let moduleAuxiliary: UInt8 = 247
    static let idle: UInt8 = 248
    static let frequency: UInt8 = 249
    static let auxiliary: UInt8 = 250
    static let resize: UInt8 = 251
    static let expirySeconds: UInt8 = 253
    static let end: UInt8 = 255

    /// Values of modules: 6 the first form, 7 the one that can be passed over.
    static let module: UInt8 = 6
    static let module2: UInt8 = 7

    static let headByteCount = 9
    /// Files before version 5 end without a checksum.
    static let versionWithChecksum = 5

    /// The nine characters and the version of a module's type number.
    static func moduleName(_ identifier: UInt64) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var name: [UInt8] = []
        for index in 0..<9 { name.append(letters[Int(identifier >> UInt64(58 - index * 6) & 63)]) }
        return String(decoding: name, as: UTF8.self)
    }
}

/// The first nine bytes of a file.
package struct RDBHead: Sendable {
    package var dialect: ValueDialect
    package var version: Int

    /// Reads `bytes`, nine of them; nil when they are the head of no RDB file.
    package init?(_ bytes: Span<UInt8>) {
        guard bytes.count == RDBCode.headByteCount else { return nil }
        let magic = bytes.extracting(0..<5)
        let isRedis = magic.text == "REDIS"
        guard isRedis || bytes.extracting(0..<6).text == "VALKEY" else { return nil }
        var version = 0
        for index in (isRedis ? 5 : 6)..<9 {
            guard bytes[index] >= 48, bytes[index] <= 57 else { return nil }
            version = version * 10 + Int(bytes[index] - 48)
        }
        dialect = isRedis ? .redis : .valkey
        self.version = version
    }

    /// Whether files of this head are read. `relaxed`: newer versions are tried as well.
    package func isReadable(relaxed: Bool) -> Bool {
        guard version >= 1 else { return false }
        switch dialect {
        case .redis: return version <= ValueCode.redisVersionMax || relaxed
        case .valkey: return version == ValueCode.valkeyVersion || relaxed && version > ValueCode.valkeyVersion
        }
    }

    static func bytes(version: Int) -> [UInt8] {
        let digits = String(version)
        return Array(("REDIS" + String(repeating: "0", count: 4 - digits.utf8.count) + digits).utf8)
    }
}
