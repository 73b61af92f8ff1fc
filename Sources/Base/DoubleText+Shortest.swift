// DoubleText+Shortest.swift - digits of a double by Grisu2 (Florian Loitsch, "Printing floating-point numbers quickly
// and accurately with integers", 2010): always round-trips, nearly always the shortest text. Redis from 7.2 and Valkey
// print scores by the same method with the same 64-bit powers of ten, so where Grisu2 misses the shortest form (about
// one value in a thousand) this prints the very same digits; an "exact shortest" printer would differ from them.
// Pure, any thread, no allocation. Cost: about 40 ns.

/// A decimal significand of up to 18 digits: the value is digits x 10^exponent.
struct ShortestDecimal {
    private(set) var digits: UInt64 = 0
    private(set) var digitCount = 0
    private(set) var exponent = 0

    private static let tens: [10 of UInt32] = [
        1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
    ]

    /// A number significand x 2^exponent with all 64 bits used.
    private struct Extended {
        var significand: UInt64
        var exponent: Int

        /// The product, rounded half up to 64 bits.
        func times(_ other: Extended) -> Extended {
            let product = significand.multipliedFullWidth(by: other.significand)
            return Extended(
                significand: product.high &+ (product.low >> 63), exponent: exponent + other.exponent + 64)
        }
    }

    /// Digits of the magnitude of `value`, which must be finite and not zero.
    init(magnitudeOf value: Double) {
        precondition(value.isFinite && value != 0, "only finite numbers other than zero have digits")
        let hiddenBit: UInt64 = 1 << 52
        let rawExponent = Int(value.exponentBitPattern)
        let fraction = value.significandBitPattern
        let significand = rawExponent == 0 ? fraction : fraction | hiddenBit
        let binaryExponent = (rawExponent == 0 ? 1 : rawExponent) - 1075

        // Halfway to the neighbours above and below; a power of two has a nearer neighbour below.
        let upperRaw = significand << 1 | 1
        let shift = upperRaw.leadingZeroBitCount
        let boundaryExponent = binaryExponent - 1 - shift
        let lowerShift = significand == hiddenBit ? 2 : 1
        let lowerRaw = significand << lowerShift - 1
        var upper = Extended(significand: upperRaw << shift, exponent: boundaryExponent)
        var lower = Extended(
            significand: lowerRaw << (binaryExponent - lowerShift - boundaryExponent), exponent: boundaryExponent)
        let normalShift = significand.leadingZeroBitCount
        var middle = Extended(significand: significand << normalShift, exponent: binaryExponent - normalShift)

        let (power, decimalExponent) = ShortestDecimal.cachedPower(for: upper.exponent)
        middle = middle.times(power)
        upper = upper.times(power)
        lower = lower.times(power)
        // The products are off by at most one unit: step inside the interval.
        lower.significand &+= 1
        upper.significand &-= 1
        exponent = -decimalExponent
        generate(middle: middle, upper: upper, lower: lower)
    }

    /// Fills the digits from the most significant down until what is left is inside the interval.
    private mutating func generate(middle: Extended, upper: Extended, lower: Extended) {
        var distance = upper.significand &- middle.significand
        var width = upper.significand &- lower.significand
        let fractionBits = UInt64(-upper.exponent)
        let fractionMask: UInt64 = 1 << fractionBits &- 1
        // The exponent is between -60 and -32, so the integral part has at most 32 bits, and is not 0.
        var integral = UInt32(truncatingIfNeeded: upper.significand >> fractionBits)
        var fraction = upper.significand & fractionMask

        // Leading zeros leave the whole number, which is outside the interval: start at the first digit.
        var kappa = ShortestDecimal.digitCount(of: integral)
        while kappa > 0 {
            kappa &-= 1
            let divisor = ShortestDecimal.tens[kappa]
            let digit = integral / divisor
            integral &-= digit &* divisor
            append(digit: UInt64(digit))
            let rest = UInt64(integral) << fractionBits &+ fraction
            if rest <= width {
                exponent += kappa
                return round(width: width, rest: rest, unit: UInt64(divisor) << fractionBits, distance: distance)
            }
        }
        while true {
            fraction &*= 10
            width &*= 10
            distance &*= 10
            append(digit: fraction >> fractionBits)
            fraction &= fractionMask
            kappa &-= 1
            if fraction < width {
                exponent += kappa
                return round(width: width, rest: fraction, unit: fractionMask &+ 1, distance: distance)
            }
        }
    }

    @inline(__always)
    private mutating func append(digit: UInt64) {
        digits = digits &* 10 &+ digit
        digitCount &+= 1
    }

    private static func digitCount(of value: UInt32) -> Int {
        // 1233 / 4096 is log10(2) closely enough for 32 bits: the exponent of ten, one too high at most.
        let guess = ((32 &- value.leadingZeroBitCount) &* 1233) >> 12
        return value < tens[guess] ? guess : guess &+ 1
    }

    /// Lowers the last digit while that comes nearer to the number itself.
    private mutating func round(width: UInt64, rest: UInt64, unit: UInt64, distance: UInt64) {
        var rest = rest
        while rest < distance, width &- rest >= unit,
            rest &+ unit < distance || distance &- rest > rest &+ unit &- distance
        {
            digits -= 1
            rest &+= unit
        }
    }

    /// The cached power that brings a number of this binary exponent to between -60 and -32.
    private static func cachedPower(for binaryExponent: Int) -> (power: Extended, decimalExponent: Int) {
        let approximate = Int(Double(-(binaryExponent + cachedPowers.count)) * 0.301_029_995_663_981_14)
        var index = (approximate - firstPower) / powerStep
        while true {
            let decimalExponent = firstPower + index * powerStep
            // floor(log2(10^decimalExponent)) - 63, exact over the table's range.
            let powerExponent = (decimalExponent * 217_706) >> 16 - 63
            let resulting = binaryExponent + powerExponent + 64
            if resulting < -60 {
                index += 1
            } else if resulting > -32 {
                index -= 1
            } else {
                return (Extended(significand: cachedPowers[index], exponent: powerExponent), decimalExponent)
            }
        }
    }

    private static let firstPower = -348
    private static let powerStep = 8

    /// 10^-348, 10^-340 ... 10^340: the leading 64 bits, rounded to nearest.
    private static let cachedPowers: [87 of UInt64] = [
        0xfa8f_d5a0_081c_0288, 0xbaae_e17f_a23e_bf76, 0x8b16_fb20_3055_ac76, 0xcf42_894a_5dce_35ea,
        0x9a6b_b0aa_5565_3b2d, 0xe61a_cf03_3d1a_45df, 0xab70_fe17_c79a_c6ca, 0xff77_b1fc_bebc_dc4f,
        0xbe56_91ef_416b_d60c, 0x8dd0_1fad_907f_fc3c, 0xd351_5c28_3155_9a83, 0x9d71_ac8f_ada6_c9b5,
        0xea9c_2277_23ee_8bcb, 0xaecc_4991_4078_536d, 0x823c_1279_5db6_ce57, 0xc210_9436_4dfb_5637,
        0x9096_ea6f_3848_984f, 0xd774_85cb_2582_3ac7, 0xa086_cfcd_97bf_97f4, 0xef34_0a98_172a_ace5,
        0xb238_67fb_2a35_b28e, 0x84c8_d4df_d2c6_3f3b, 0xc5dd_4427_1ad3_cdba, 0x936b_9fce_bb25_c996,
        0xdbac_6c24_7d62_a584, 0xa3ab_6658_0d5f_daf6, 0xf3e2_f893_dec3_f126, 0xb5b5_ada8_aaff_80b8,
        0x8762_5f05_6c7c_4a8b, 0xc9bc_ff60_34c1_3053, 0x964e_858c_91ba_2655, 0xdff9_7724_7029_7ebd,
        0xa6df_bd9f_b8e5_b88f, 0xf8a9_5fcf_8874_7d94, 0xb944_7093_8fa8_9bcf, 0x8a08_f0f8_bf0f_156b,
        0xcdb0_2555_6531_31b6, 0x993f_e2c6_d07b_7fac, 0xe45c_10c4_2a2b_3b06, 0xaa24_2499_6973_92d3,
        0xfd87_b5f2_8300_ca0e, 0xbce5_0864_9211_1aeb, 0x8cbc_cc09_6f50_88cc, 0xd1b7_1758_e219_652c,
        0x9c40_0000_0000_0000, 0xe8d4_a510_0000_0000, 0xad78_ebc5_ac62_0000, 0x813f_3978_f894_0984,
        0xc097_ce7b_c907_15b3, 0x8f7e_32ce_7bea_5c70, 0xd5d2_38a4_abe9_8068, 0x9f4f_2726_179a_2245,
        0xed63_a231_d4c4_fb27, 0xb0de_6538_8cc8_ada8, 0x83c7_088e_1aab_65db, 0xc45d_1df9_4271_1d9a,
        0x924d_692c_a61b_e758, 0xda01_ee64_1a70_8dea, 0xa26d_a399_9aef_774a, 0xf209_787b_b47d_6b85,
        0xb454_e4a1_79dd_1877, 0x865b_8692_5b9b_c5c2, 0xc835_53c5_c896_5d3d, 0x952a_b45c_fa97_a0b3,
        0xde46_9fbd_99a0_5fe3, 0xa59b_c234_db39_8c25, 0xf6c6_9a72_a398_9f5c, 0xb7dc_bf53_54e9_bece,
        0x88fc_f317_f222_41e2, 0xcc20_ce9b_d35c_78a5, 0x9816_5af3_7b21_53df, 0xe2a0_b5dc_971f_303a,
        0xa8d9_d153_5ce3_b396, 0xfb9b_7cd9_a4a7_443c, 0xbb76_4c4c_a7a4_4410, 0x8bab_8eef_b640_9c1a,
        0xd01f_ef10_a657_842c, 0x9b10_a4e5_e991_3129, 0xe710_9bfb_a19c_0c9d, 0xac28_20d9_623b_f429,
        0x8044_4b5e_7aa7_cf85, 0xbf21_e440_03ac_dd2d, 0x8e67_9c2f_5e44_ff8f, 0xd433_179d_9c8c_b841,
        0x9e19_db92_b4e3_1ba9, 0xeb96_bf6e_badf_77d9, 0xaf87_023b_9bf0_ee6b,
    ]
}
