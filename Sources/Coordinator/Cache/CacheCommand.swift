// CacheCommand.swift - FOG.CACHE: values with tags and a lifetime, and the leases that let one client of many fetch
// what all of them miss. Values are ordinary strings: any client reads them by GET. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum CacheCommand {
    static let commands: [Command] = [
        Command(
            "FOG.CACHE", arity: -2, in: .fog, since: "8.2.0", summary: "A container for cache commands.",
            subcommands: CacheWrite.subcommands + CacheRead.subcommands + CacheFetch.subcommands + [
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help)
            ])
    ]
}

/// What a value is, as FOG.CACHE SET's CONTENT says it. Files keep the numbers: never change one.
enum ContentType: UInt8, CaseIterable {
    case json = 1
    case msgpack = 2
    case gob = 3
    case text = 4
    case html = 5
    case protobuf = 6
    case binary = 7

    var name: StaticString {
        switch self {
        case .json: "json"
        case .msgpack: "msgpack"
        case .gob: "gob"
        case .text: "text"
        case .html: "html"
        case .protobuf: "protobuf"
        case .binary: "binary"
        }
    }

    init(_ text: Span<UInt8>) throws(CommandError) {
        guard let found = ContentType.allCases.first(where: { text.equalsIgnoringCase($0.name) }) else {
            throw .message("ERR CONTENT is json, msgpack, gob, text, html, protobuf or binary")
        }
        self = found
    }
}

/// The options of a value that is written.
struct CacheOptions {
    /// Milliseconds since the epoch; nil for none.
    var expiry: Int64?
    var content: UInt8 = 0
    /// Milliseconds since the epoch; only replayed commands say it.
    var written: Int64?
    /// Argument indexes of the tags.
    var tags = 0..<0

    /// More tags than this on one key are refused.
    private static let tagCountMax = 64
    private static let tagByteCountMax = 1024

    /// Reads `[EX s | PX ms | EXAT s | PXAT ms | PERSIST] [CONTENT type] [TAG tag...]` from argument `start` on.
    init(_ call: borrowing Call, from start: Int, hasLifetime: Bool = true) throws(CommandError) {
        var words = call.options(from: start)
        var isSaid = !hasLifetime
        while !words.isAtEnd {
            if let unit = words.expiryUnit() {
                guard !isSaid else { throw .syntax }
                isSaid = true
                expiry = try unit.positiveTime(
                    words.next(), now: call.now, invalid: "ERR invalid expire time in 'fog.cache' command")
            } else if words.take("PERSIST") {
                guard !isSaid else { throw .syntax }
                isSaid = true
            } else if words.take("CONTENT", values: 1) {
                content = try ContentType(words.next()).rawValue
            } else if words.take("AT", values: 1) {
                written = Int64(try words.nonnegative())
            } else if words.take("TAG", values: 1) {
                tags = words.index..<words.end
                try words.skip(words.remaining)
            } else {
                throw .syntax
            }
        }
        guard tags.count <= CacheOptions.tagCountMax else { throw .message("ERR a key has up to 64 tags") }
        for index in tags {
            let count = call.arguments[index].count
            guard count > 0, count <= CacheOptions.tagByteCountMax else {
                throw .message("ERR a tag has 1 to 1024 bytes")
            }
        }
        if !isSaid { expiry = call.cacheExpiry }
    }

    func names(_ call: borrowing Call) -> [[UInt8]] { tags.map { call.arguments[$0].array } }

    func label(_ call: borrowing Call) -> EntryLabel {
        var label = EntryLabel()
        label.content = content
        label.writtenMilliseconds = written ?? call.now
        let table = call.keyspace.tags
        label.cohort = table.cohort(of: tags.map { table.tag(call.arguments[$0]) })
        return label
    }
}

extension Call {
    /// When a value dies of which nothing else was said: `fog-default-ttl` from now.
    var cacheExpiry: Int64? {
        let seconds = coordinator.settings.defaultTTLSeconds
        return seconds == 0 ? nil : now + Int64(seconds) * 1000
    }

    /// Writes a string with its label. The journal gets a plain SET, and the label as a remark.
    func cacheValue(_ index: Int, _ value: Span<UInt8>, _ options: CacheOptions) {
        let slot = look(index)
        setString(index, slot: slot, value: value, expiry: options.expiry)
        let key = arguments[index]
        if let slot = keyspace.find(key, hash: hash(index), in: session.database) {
            keyspace.setLabel(slot, in: session.database, options.label(self))
        }
        changed("set", .string, key: key)
        if options.expiry != nil { alsoHappened("expire", .generic, key: key) }
        propagateSet(key, value, expiry: options.expiry)
        remarkLabel(index, options)
    }

    /// The label of the key in argument `index`, for files that Fog reads.
    func remarkLabel(_ index: Int, _ options: CacheOptions) {
        guard isJournaled else { return }
        let (arguments, now) = (arguments, now)
        remark("FOG.CACHE") { words in
            words.add("LABEL")
            words.add(arguments[index])
            words.add("AT")
            words.add(decimal: options.written ?? now)
            if let content = ContentType(rawValue: options.content) {
                words.add("CONTENT")
                words.add(content.name)
            }
            guard !options.tags.isEmpty else { return }
            words.add("TAG")
            for tag in options.tags { words.add(arguments[tag]) }
        }
    }
}
