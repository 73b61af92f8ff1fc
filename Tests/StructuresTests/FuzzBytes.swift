// FuzzBytes.swift - damages byte strings the way broken peers and attackers do: flips, cuts,
// insertions, copies, and the values at which lengths and counters tip over. Used by every fuzz test
// of this target.
enum FuzzBytes {
    /// Bytes at which encodings change their meaning.
    private static let telling: [UInt8] = [
        0, 1, 2, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xdf, 0xe0, 0xf0, 0xf1, 0xf4, 0xfe, 0xff,
    ]

    static func mutate(_ bytes: inout [UInt8], _ dice: inout SeededRandom) {
        guard !bytes.isEmpty else {
            bytes = dice.bytes(count: dice.below(8))
            return
        }
        let place = dice.below(bytes.count)
        switch dice.below(7) {
        case 0: bytes[place] ^= 1 << UInt8(dice.below(8))
        case 1: bytes[place] = telling[dice.below(telling.count)]
        case 2: bytes[place] = UInt8(dice.below(256))
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + 1 + dice.below(4)))
        case 4: bytes.insert(contentsOf: dice.bytes(count: 1 + dice.below(4)), at: place)
        case 5: bytes.removeLast(min(bytes.count, 1 + dice.below(16)))
        default:
            let other = dice.below(bytes.count)
            let length = min(1 + dice.below(8), bytes.count - max(place, other))
            for index in 0..<length { bytes[place + index] = bytes[other + index] }
        }
    }
}
