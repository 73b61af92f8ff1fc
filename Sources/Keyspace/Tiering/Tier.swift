// Tier.swift - where a value is kept and how it lies there. A key whose value is "asleep" stays in its table with an
// entry whose value bytes are a small head and either the compressed value or its place on disk. Its encoding number
// is one that no handler knows, so that a forgotten wake-up ends in a precondition and never in a wrong value.
//
//     raw    as its type keeps it                                 L1
//     warm   compressed with LZ4 and its family's dictionary      L2, quicker to read: where memory is not short
//     dense  compressed with Zstd and its family's dictionary     L2, smaller: where it is
//     cold   on disk                                              L3
//
// Engine's turn only.
package import Codec
internal import ColdStore
package import Structures

package enum Tier: Int, CaseIterable, Sendable {
    case raw = 0
    case warm = 1
    case dense = 2
    case cold = 3

    /// What OBJECT ENCODING says of a value that is not raw.
    var encodingName: StaticString {
        switch self {
        case .raw: "raw"
        case .warm: "compressed-lz4"
        case .dense: "compressed-zstd"
        case .cold: "cold"
        }
    }

    /// The name in INFO and FOG.TIER.
    package var name: StaticString {
        switch self {
        case .raw: "raw"
        case .warm: "warm"
        case .dense: "dense"
        case .cold: "cold"
        }
    }

    /// The level of the cache hierarchy that the tier belongs to.
    package var level: StaticString {
        switch self {
        case .raw: "L1"
        case .warm, .dense: "L2"
        case .cold: "L3"
        }
    }
}

extension Entry {
    @inline(__always)
    package var tier: Tier { Tier(rawValue: tierNumber) ?? .raw }
}

/// The head of a value that is asleep:
///
///     codec 4, encoding 4 | dictionary 8 | bytes of the whole value 24 | hits 8 | second of the first hit 16 | payload
@safe package struct SleepingValue {
    /// Bytes before the payload.
    static let headByteCount = 8
    /// The encoding number of every value that is asleep; bit 3 because freeing it has to be noted.
    static let encoding = 15
    /// The largest value whose size the head can say.
    static let wholeByteCountMax = 0xFF_FFFF

    package let entry: Entry

    package init(_ entry: Entry) {
        precondition(entry.isAsleep && entry.encoding == SleepingValue.encoding, "this value is awake")
        self.entry = entry
    }

    private var head: UInt64 { entry.valueWord() }

    /// The encoding it had, and will have again.
    var originalEncoding: Int { Int(truncatingIfNeeded: head & 15) }
    package var codec: BlockCodec { BlockCodec(rawValue: UInt8(truncatingIfNeeded: head >> 4 & 15)) ?? .none }
    /// Number of the dictionary it is compressed with; 0 for none.
    package var dictionary: Int { Int(truncatingIfNeeded: head >> 8 & 0xFF) }
    /// Bytes of the value when it is awake.
    package var wholeByteCount: Int { Int(truncatingIfNeeded: head >> 16 & 0xFF_FFFF) }
    /// Bytes that stand for it, in memory or on disk.
    package var packedByteCount: Int {
        entry.tier == .cold ? coldAddress.byteCount : entry.valueByteCount - SleepingValue.headByteCount
    }
    package var hits: Int { Int(truncatingIfNeeded: head >> 40 & 0xFF) }

    /// The compressed value, where it is in memory.
    var payload: Span<UInt8> {
        @_lifetime(borrow self) get {
            let bytes = entry.value
            let view = bytes.extracting(SleepingValue.headByteCount..<bytes.count)
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }

    /// Writes the head of `entry`.
    static func writeHead(
        _ entry: Entry, codec: BlockCodec, encoding: Int, dictionary: Int, wholeByteCount: Int
    ) {
        precondition(
            encoding >= 0 && encoding < 15 && dictionary >= 0 && dictionary < 256 && wholeByteCount >= 0
                && wholeByteCount <= wholeByteCountMax, "the head of a sleeping value holds what it is given")
        entry.setValueWord(
            UInt64(encoding) | UInt64(codec.rawValue) << 4 | UInt64(dictionary) << 8 | UInt64(wholeByteCount) << 16)
    }

    /// Counts a read at `now` (milliseconds). Hits that are further apart than `window` seconds start anew, 0 counts
    /// all. Returns how many there are.
    func noteHit(now: Int64, windowSeconds: Int) -> Int {
        let second = UInt64(truncatingIfNeeded: now / 1000) & 0xFFFF
        var (count, first) = (hits, head >> 48)
        let elapsed = Int((second &- first) & 0xFFFF)
        if count == 0 || windowSeconds > 0 && elapsed > windowSeconds {
            count = 0
            first = second
        }
        count = min(255, count + 1)
        entry.setValueWord(head & 0xFF_FFFF_FFFF | UInt64(count) << 40 | first << 48)
        return count
    }
}

/// What is asleep in one database; kept by whoever makes and frees entries.
package struct SleeperAccount {
    package struct Figures {
        package var keys = 0
        /// Bytes of the values asleep: what they take beside their keys.
        package var byteCount = 0
        /// Bytes of the same values awake.
        package var wholeByteCount = 0
        /// Bytes of whole entries: of what the keys take as well.
        package var entryByteCount = 0
        package init() {}

        package mutating func add(_ other: Figures) {
            keys += other.keys
            byteCount += other.byteCount
            entryByteCount += other.entryByteCount
            wholeByteCount += other.wholeByteCount
        }
    }

    package private(set) var warm = Figures()
    package private(set) var dense = Figures()
    package private(set) var cold = Figures()
    /// Values per dictionary number; empty before the first.
    private var uses: [UInt32] = []

    package init() {}

    package var keys: Int { warm.keys + dense.keys + cold.keys }

    package subscript(tier: Tier) -> Figures {
        switch tier {
        case .raw: Figures()
        case .warm: warm
        case .dense: dense
        case .cold: cold
        }
    }

    /// Values that need dictionary `number`.
    func uses(of number: Int) -> Int { number < uses.count ? Int(uses[number]) : 0 }

    mutating func add(_ value: SleepingValue) {
        change(value, by: 1)
        if uses.isEmpty { uses = Array(repeating: 0, count: 256) }
        uses[value.dictionary] &+= 1
    }

    mutating func remove(_ value: SleepingValue) {
        change(value, by: -1)
        uses[value.dictionary] &-= 1
    }

    private mutating func change(_ value: SleepingValue, by sign: Int) {
        switch value.entry.tier {
        case .raw: break
        case .warm: SleeperAccount.change(&warm, value, sign)
        case .dense: SleeperAccount.change(&dense, value, sign)
        case .cold: SleeperAccount.change(&cold, value, sign)
        }
    }

    private static func change(_ figures: inout Figures, _ value: SleepingValue, _ sign: Int) {
        figures.keys += sign
        figures.byteCount += sign * value.entry.valueByteCount
        figures.wholeByteCount += sign * value.wholeByteCount
        figures.entryByteCount += sign * value.entry.byteCount
    }
}
