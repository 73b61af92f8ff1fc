// HistogramTests.swift - percentiles against sorted samples, and the pairs of LATENCY HISTOGRAM.
import Base
import Testing

struct HistogramTests {
    @Test func anEmptyHistogramAnswersZero() {
        let histogram = Histogram()
        #expect(histogram.percentile(50) == 0)
        #expect(histogram.cumulativeCounts().isEmpty)
        #expect(histogram.totalCount == 0)
    }

    @Test(arguments: [0, 1, 7, 8, 63, 64, 65, 71, 72, 127, 128, 1000, 1023, 1024, 1_000_000, 0x3fff_ffff, 0x4000_0000,
        0x1_0000_0000, Int64.max] as [Int64])
    func oneValueIsEveryPercentile(value: Int64) {
        var histogram = Histogram()
        histogram.record(nanoseconds: value)
        for percent in [0, 50, 99.9, 100] { #expect(histogram.percentile(percent) == value) }
        #expect(histogram.maximumNanoseconds == value)
        #expect(histogram.cumulativeCounts().map(\.count) == [1])
    }

    @Test func negativeDurationsCountAsZero() {
        var histogram = Histogram()
        histogram.record(nanoseconds: -5)
        #expect(histogram.totalCount == 1 && histogram.sumNanoseconds == 0 && histogram.percentile(100) == 0)
    }

    @Test func labelsAreThoseOfRedis() {
        var histogram = Histogram()
        var value: Int64 = 1000
        for _ in 0..<25 {
            histogram.record(nanoseconds: value)
            value *= 2
        }
        let pairs = histogram.cumulativeCounts()
        // As Redis 7.0 labels scripts that run for a millisecond up to half a second.
        #expect(pairs.map(\.microseconds) == [
            1, 2, 4, 8, 16, 33, 66, 132, 264, 528, 1056, 2113, 4227, 8454, 16908, 33816, 67633, 135266, 270532, 541065,
            1_073_741,
        ])
        #expect(pairs.map(\.count) == Array(1...20) + [25])
    }

    @Test func powersWithoutNewValuesAreLeftOut() {
        var histogram = Histogram()
        for value in [100, 500, 1023, 1024, 100_000] as [Int64] { histogram.record(nanoseconds: value) }
        let pairs = histogram.cumulativeCounts()
        #expect(pairs.map(\.microseconds) == [1, 2, 132])
        #expect(pairs.map(\.count) == [3, 4, 5])
    }

    @Test func percentilesAgreeWithSortedSamples() {
        var random = RandomGenerator(seed: testSeed)
        for _ in 0..<20 {
            var histogram = Histogram()
            var other = Histogram()
            var samples: [Int64] = []
            for index in 0..<3000 {
                let value = Int64(random.next() >> 34) >> Int64(random.below(25))
                samples.append(value)
                if index % 2 == 0 { histogram.record(nanoseconds: value) } else { other.record(nanoseconds: value) }
            }
            histogram.add(other)
            samples.sort()
            #expect(histogram.totalCount == 3000)
            #expect(histogram.sumNanoseconds == UInt64(samples.reduce(0, +)))
            for percent in [0.1, 1, 25, 50, 90, 99, 99.9, 100] {
                let rank = max(Int((percent / 100 * 3000).rounded(.up)), 1)
                let exact = samples[rank - 1]
                let answer = histogram.percentile(percent)
                #expect(answer >= exact && answer <= exact + max(exact / 8, 8), "seed \(testSeed), p\(percent)")
            }
        }
    }

    @Test func resetForgets() {
        var histogram = Histogram()
        histogram.record(nanoseconds: 10)
        histogram.reset()
        #expect(histogram.totalCount == 0 && histogram.percentile(50) == 0 && histogram.maximumNanoseconds == 0)
    }
}
