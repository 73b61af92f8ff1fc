// ItemChains.swift - lists of items under a key ("tasks of node 3 that run"), threaded through arrays of links by item
// number: joining, leaving and counting cost O(1), a listing costs its length, in order of joining. An item stands in
// at most one list of a table. Pure; under the turn.

package struct ItemChains {
    private struct Link {
        var previous: Int32 = -1
        var next: Int32 = -1
    }

    private struct Ends {
        var first: Int32
        var last: Int32
        var count: Int
    }

    private var links: [Link] = []
    private var lists: [Int: Ends] = [:]

    package init() {}

    package func count(_ key: Int) -> Int { lists[key]?.count ?? 0 }

    package func first(_ key: Int) -> Int32? { lists[key]?.first }

    package func next(_ item: Int32) -> Int32? {
        let next = links[Int(item)].next
        return next < 0 ? nil : next
    }

    /// Puts `item`, which is in no list of this table, at the end of the list of `key`.
    package mutating func append(_ item: Int32, to key: Int) {
        while links.count <= Int(item) { links.append(Link()) }
        guard let ends = lists[key] else {
            links[Int(item)] = Link()
            lists[key] = Ends(first: item, last: item, count: 1)
            return
        }
        links[Int(ends.last)].next = item
        links[Int(item)] = Link(previous: ends.last, next: -1)
        lists[key] = Ends(first: ends.first, last: item, count: ends.count + 1)
    }

    /// Takes `item` out of the list of `key`, in which it stands.
    package mutating func remove(_ item: Int32, from key: Int) {
        guard var ends = lists[key] else { preconditionFailure("an item leaves a list that there is") }
        let link = links[Int(item)]
        if link.previous >= 0 { links[Int(link.previous)].next = link.next } else { ends.first = link.next }
        if link.next >= 0 { links[Int(link.next)].previous = link.previous } else { ends.last = link.previous }
        ends.count -= 1
        links[Int(item)] = Link()
        lists[key] = ends.count == 0 ? nil : ends
    }

    /// Calls `body` with every item of a list until it answers false.
    package func forEach(_ key: Int, _ body: (Int32) -> Bool) {
        var item = first(key)
        while let current = item {
            guard body(current) else { return }
            item = next(current)
        }
    }
}
