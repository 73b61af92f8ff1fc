// SortCommand.swift - SORT and SORT_RO: the elements of a list, set or sorted set in the order of their numbers, of
// their texts, or of what other keys say about them. The words are read here; what is sorted and how stands in
// SortElements.swift, the patterns of BY and GET in SortPattern.swift. Engine's turn only; nothing is kept.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum SortCommand {
    private static let usage =
        """
        key [BY by-pattern/pattern:pattern#1] [LIMIT (offset:integer count:integer)] \
        [GET get-pattern/pattern:pattern#1]... [order=(ASC | DESC)] [sorting=ALPHA]
        """
    private static let complexity =
        """
        O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of returned \
        elements. When the elements are not sorted, complexity is O(N).
        """
    private static let patternNotes =
        """
        For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the content of the \
        key we sort
        """
    private static let storeNotes =
        """
        For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere in the \
        argument array
        """
    private static let patternKeys = KeySpec(
        [.readOnly, .access], begin: .unknown, find: .unknown, notes: patternNotes)

    static let commands: [Command] = [
        Command(
            "SORT", usage + " [STORE destination:key#2]", arity: -2, [.write, .denyOOM, .movableKeys],
            keys: [
                .key([.readOnly, .access]), patternKeys,
                KeySpec([.overwrite, .update], begin: .unknown, find: .unknown, notes: storeNotes),
            ],
            in: .generic, categories: ["set", "sortedset", "list", "dangerous"], since: "1.0.0",
            complexity: complexity,
            summary: "Sorts the elements in a list, a set, or a sorted set, optionally storing the result."
        ) { (call: inout Call) throws(CommandError) in try run(&call, mayStore: true) },
        Command(
            "SORT_RO", usage, arity: -2, [.readonly, .movableKeys], keys: [.key([.readOnly, .access]), patternKeys],
            in: .generic, categories: ["set", "sortedset", "list", "dangerous"], since: "7.0.0",
            complexity: complexity, summary: "Returns the sorted elements of a list, a set, or a sorted set."
        ) { (call: inout Call) throws(CommandError) in try run(&call, mayStore: false) },
    ]

    private static func run(_ call: inout Call, mayStore: Bool) throws(CommandError) {
        var options = try SortOptions(call, mayStore: mayStore)
        var elements = SortElements()
        if let entry = call.read(1) {
            switch entry.objectType {
            case .list: break
            case .set:
                // A set has no order of its own: what is kept or may be repeated elsewhere gets one.
                if options.keepsOrder && (options.destination != nil || call.context == .script) {
                    options.sortsByThemselves()
                }
            case .sortedSet: break
            case .string, .hash, .stream: throw .wrongType
            }
            elements.load(entry, options)
        }
        if !options.keepsOrder { try elements.sort(call, options) }
        if let destination = options.destination {
            store(&call, elements, options, at: destination)
        } else {
            reply(call, elements, options)
        }
    }

    private static func reply(_ call: borrowing Call, _ elements: borrowing SortElements, _ options: SortOptions) {
        call.reply.array(elements.wanted.count * max(1, options.gets.count))
        for index in elements.wanted {
            if options.gets.isEmpty { call.reply.bulk(elements.text(index)) }
            for pattern in options.gets {
                let isFound = call.withValue(of: pattern, for: elements.text(index)) { call.reply.bulk($0) }
                if !isFound { call.reply.null() }
            }
        }
    }

    /// What a pattern does not find is stored as an empty element.
    private static func store(
        _ call: inout Call, _ elements: borrowing SortElements, _ options: SortOptions, at destination: Int
    ) {
        var list = call.emptyList
        for index in elements.wanted {
            if options.gets.isEmpty { list.append(elements.text(index)) }
            for pattern in options.gets {
                if !call.withValue(of: pattern, for: elements.text(index), { list.append($0) }) {
                    list.append(Span())
                }
            }
        }
        let key = call.arguments[destination]
        let count = list.count
        let slot = call.look(destination)
        let oldType = slot?.entry.type
        if count > 0 {
            call.keyspace.setList(
                key, hash: call.hash(destination), in: call.session.database, slot: slot, list: list, expiry: nil)
            call.changed("sortstore", .list, key: key)
            call.overwrote(key, from: oldType, to: ObjectType.list.rawValue)
        } else if let slot {
            call.remove(destination, slot: slot)
            call.changed("del", .generic, key: key)
        }
        call.reply.integer(count)
    }
}

/// The words of SORT behind the key.
struct SortOptions {
    private(set) var isDescending = false
    private(set) var isAlphabetic = false
    private(set) var start = 0
    /// All when negative.
    private(set) var count = -1
    private(set) var by: SortPattern?
    private(set) var gets: [SortPattern] = []
    /// Argument index of the key to store at.
    private(set) var destination: Int?
    /// BY a pattern that is the same for all elements: they are left in the order they have.
    private(set) var keepsOrder = false

    init(_ call: borrowing Call, mayStore: Bool) throws(CommandError) {
        let mayReadEveryKey = call.mayReadEveryKey
        var words = call.options(from: 2)
        while !words.isAtEnd {
            if words.take("ASC") {
                isDescending = false
            } else if words.take("DESC") {
                isDescending = true
            } else if words.take("ALPHA") {
                isAlphabetic = true
            } else if words.take("LIMIT", values: 2) {
                start = try words.integer()
                count = try words.integer()
            } else if mayStore, words.take("STORE", values: 1) {
                destination = try words.nextIndex()
            } else if words.take("BY", values: 1) {
                let pattern = SortPattern(try words.next())
                by = pattern
                if !pattern.hasPlace {
                    keepsOrder = true
                } else if !mayReadEveryKey {
                    throw .message("ERR BY option of SORT denied due to insufficient ACL permissions.")
                }
            } else if words.take("GET", values: 1) {
                if !mayReadEveryKey {
                    throw .message("ERR GET option of SORT denied due to insufficient ACL permissions.")
                }
                gets.append(SortPattern(try words.next()))
            } else {
                throw .syntax
            }
        }
    }

    /// Sorts by the elements' texts, whatever BY said.
    mutating func sortsByThemselves() {
        keepsOrder = false
        isAlphabetic = true
        by = nil
    }

    /// Which of `total` elements are wanted, by their places in the result.
    func range(of total: Int) -> Range<Int> {
        let first = min(max(0, start), total)
        let limit = count < 0 ? total : min(count, total)
        return first..<min(total, first + limit)
    }
}
