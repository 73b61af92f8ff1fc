// GroupPaceTests.swift - when the append only file's writer waits for a group, and for how many bytes.
import Testing

@testable import Persistence

@Suite struct GroupPaceTests {
    @Test func fastSyncsAreNotWaitedFor() {
        var pace = GroupPace()
        #expect(pace.patience == 0)
        pace.hasSynced(5000, nanoseconds: 400_000)
        #expect(pace.patience == 0)
    }

    @Test func whoWasAnsweredIsExpectedBesideWhoWaits() {
        var pace = GroupPace()
        pace.hasSynced(4000, nanoseconds: 2_000_000)
        #expect(pace.patience == 1_250_000)
        #expect(pace.wanted(besides: 4000) == 7000)
        // One client alone is there as soon as it has come.
        pace.hasSynced(40, nanoseconds: 2_000_000)
        #expect(pace.wanted(besides: 0) == 35)
    }

    @Test func aSlowDiskIsWaitedForBriefly() {
        var pace = GroupPace()
        pace.hasSynced(4000, nanoseconds: 900_000_000)
        #expect(pace.patience == 5_000_000)
    }

    @Test func waitingInVainIsTriedLessAndLess() {
        var pace = GroupPace()
        pace.hasSynced(4000, nanoseconds: 2_000_000)
        var tries = 0
        for _ in 0..<1000 where pace.wanted(besides: 100) > 0 {
            tries += 1
            pace.hasWaited(isWhole: false)
        }
        #expect((15...25).contains(tries))
        while pace.wanted(besides: 100) == 0 {}
        pace.hasWaited(isWhole: true)
        // A whole group is as good as the first.
        #expect(pace.wanted(besides: 100) > 0)
        pace.hasWaited(isWhole: false)
        #expect(pace.wanted(besides: 100) == 0)
        #expect(pace.wanted(besides: 100) > 0)
    }
}
