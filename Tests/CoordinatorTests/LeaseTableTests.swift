// LeaseTableTests.swift - one lease of a key at a time, and what ends it.
import Base
import Testing

@testable import Coordinator

struct LeaseTableTests {
    private func key(_ text: String) -> LeaseKey { LeaseKey(database: 0, Array(text.utf8).span) }

    @Test func aLeaseIsOneClients() {
        var table = LeaseTable()
        let lease = table.grant(key("k"), token: 7, now: 100, milliseconds: 50, isRefresh: false)
        #expect(lease?.expiresAt == 150)
        #expect(table.lease(key("k"), now: 149)?.token == 7)
        #expect(table.lease(key("k"), now: 150) == nil)
        #expect(table.fill(key("k"), token: 8, tags: [], now: 120) == .other)
        #expect(table.fill(key("k"), token: 7, tags: [], now: 120) == nil)
        #expect(table.fill(key("k"), token: 7, tags: [], now: 120) == .noLease)
        _ = table.grant(key("k"), token: 9, now: 200, milliseconds: 50, isRefresh: true)
        #expect(table.fill(key("k"), token: 9, tags: [], now: 250) == .noLease)
        table.forget(250)
        #expect(table.count == 0)
    }

    @Test func invalidationsEndLeases() {
        var table = LeaseTable()
        let tag = Array("t".utf8)
        _ = table.grant(key("a:1"), token: 1, now: 0, milliseconds: 1000, isRefresh: false)
        _ = table.grant(key("a:2"), token: 2, now: 0, milliseconds: 1000, isRefresh: false)
        _ = table.grant(key("b"), token: 3, now: 0, milliseconds: 1000, isRefresh: false)
        table.revoke(key("a:1"))
        #expect(table.lease(key("a:1"), now: 1) == nil)
        table.revoke(database: 0) { $0.starts(with: Array("a:".utf8)) }
        #expect(table.lease(key("a:2"), now: 1) == nil)
        table.noteInvalidation(of: tag.span)
        _ = table.grant(key("c"), token: 4, now: 1, milliseconds: 1000, isRefresh: false)
        #expect(table.fill(key("b"), token: 3, tags: [tag], now: 2) == .staleTag)
        #expect(table.fill(key("c"), token: 4, tags: [tag], now: 2) == nil)
    }

    @Test func tooManyTagsMakeOldLeasesWorthless() {
        var table = LeaseTable()
        _ = table.grant(key("k"), token: 1, now: 0, milliseconds: 1000, isRefresh: false)
        for index in 0..<5000 { table.noteInvalidation(of: Array("t\(index)".utf8).span) }
        #expect(table.fill(key("k"), token: 1, tags: [Array("other".utf8)], now: 1) == .staleTag)
    }
}
