// ReplyItems.swift - looking into replies without asking whether they are aggregates.
import TestKit

extension ReplyValue {
    /// The elements; none for what has none, so that a comparison fails and not the test's own code. Out of range is
    /// null.
    var items: ReplyElements { ReplyElements(all: elements ?? []) }
}

struct ReplyElements {
    let all: [ReplyValue]
    var count: Int { all.count }
    var last: ReplyValue? { all.last }

    subscript(index: Int) -> ReplyValue { index < all.count ? all[index] : .null }

    func map<Result>(_ body: (ReplyValue) -> Result) -> [Result] { all.map(body) }
    func compactMap<Result>(_ body: (ReplyValue) -> Result?) -> [Result] { all.compactMap(body) }
}

extension TestClient {
    /// Runs a command by its words, whatever characters they hold.
    func command(_ words: String...) throws -> ReplyValue { try run(arguments: words.map { Array($0.utf8) }) }
}
