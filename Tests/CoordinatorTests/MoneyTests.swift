// MoneyTests.swift - amounts: what text they take, what they print, and the rule by which demand moves a price.
import Base
import Testing

@testable import Coordinator

struct MoneyTests {
    private func money(_ text: String) -> String? {
        Money(Array(text.utf8).span).map { String(decoding: $0.text, as: UTF8.self) }
    }

    @Test(arguments: [
        ("0.15", "0.15"), ("0", "0"), ("3", "3"), ("3.0", "3"), ("0.180000", "0.18"), ("0.000001", "0.000001"),
        ("1000000000000", "1000000000000"), ("12.5", "12.5"), ("007.10", "7.1"), ("0.1000000000", "0.1"),
    ])
    func reads(text: String, printed: String) { #expect(money(text) == printed) }

    @Test(arguments: [
        "", ".", ".5", "5.", "-1", "+1", "1e3", "0x1", "0.0000001", "1000000000000.000001", "nan", "inf", "1.2.3",
        "99999999999999999999999999", " 1",
    ])
    func refuses(text: String) { #expect(money(text) == nil) }

    @Test func everyAmountSurvivesItsText() {
        var state: UInt64 = 42
        for _ in 0..<10_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1
            let value = Money(millionths: Int64(state % 1_000_000_000_000_000_000))
            let text = value.text
            #expect(Money(text.span) == value)
        }
    }

    @Test func demandMovesThePrice() {
        let base = Money(millionths: 150_000)
        let rule = PriceRule(elasticity: 500_000, ceiling: 3_000_000)
        #expect(rule.price(base, used: 0, total: 10) == base)
        // 0.15 x (1 + 0.5 x 8/10)
        #expect(rule.price(base, used: 8, total: 10) == Money(millionths: 210_000))
        #expect(rule.factor(used: 8, total: 10) == 1_400_000)
        #expect(rule.price(base, used: 1, total: 3) == Money(millionths: 175_000))
        #expect(PriceRule.off.price(base, used: 10, total: 10) == base)
        let steep = PriceRule(elasticity: 100_000_000, ceiling: 3_000_000)
        #expect(steep.price(base, used: 10, total: 10) == Money(millionths: 450_000))
        #expect(steep.price(.maximum, used: 10, total: 10) == .maximum)
        #expect(rule.price(base, used: 8, total: 0) == base)
    }
}
