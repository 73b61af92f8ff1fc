// StreamTrim.swift - the trimming options that XADD and XTRIM share. How much may go at once is bounded when trimming
// is approximate, so that no command takes long by surprise. Engine's turn only; nothing here changes a stream.
internal import Base
internal import Engine
internal import RESP
internal import Structures

struct StreamTrim {
    /// Without `LIMIT`, `~` removes entries of at most so many nodes.
    private static let nodesMax = 100
    /// The bound when nodes have no bound of their own.
    private static let defaultLimit = 10_000
    private static let limitMax = 1_000_000

    private(set) var strategy: StreamLog.TrimStrategy?
    private var isApproximate = false
    /// 0: no bound.
    private var limit = 0
    /// Nil until one is named; `keep` then.
    private var policy: StreamLog.ReferencePolicy?
    private var hasLimit = false

    /// Takes the next words when they are an option of trimming.
    mutating func take(_ options: inout Options) throws(CommandError) -> Bool {
        if options.take("MAXLEN", values: 1) {
            let threshold = try takeThreshold(&options)
            let length = try ArgumentNumber.integer(threshold)
            if length < 0 { throw .message("ERR The MAXLEN argument must be >= 0.") }
            strategy = .length(length)
        } else if options.take("MINID", values: 1) {
            let threshold = try takeThreshold(&options)
            strategy = .minimumID(try StreamID(argument: threshold))
        } else if options.take("LIMIT", values: 1) {
            limit = try options.integer()
            if limit < 0 { throw .message("ERR The LIMIT argument must be >= 0.") }
            hasLimit = true
        } else if policy == nil, let named = StreamLog.ReferencePolicy(&options) {
            policy = named
        } else {
            return false
        }
        return true
    }

    @_lifetime(copy options)
    private mutating func takeThreshold(_ options: inout Options) throws(CommandError) -> Span<UInt8> {
        if strategy != nil {
            throw .message("ERR syntax error, MAXLEN and MINID options at the same time are not compatible")
        }
        isApproximate = options.take("~", values: 1)
        if !isApproximate { _ = options.take("=", values: 1) }
        return try options.next()
    }

    /// Checks what was taken as a whole. Stock servers record trimming with an exact threshold and leave LIMIT where it
    /// was, so for what is replayed there is no limit and no complaint about it.
    mutating func finish(_ call: borrowing Call) throws(CommandError) {
        if limit > 0 && strategy == nil {
            throw .message("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy")
        }
        if call.isReplayed {
            limit = 0
        } else if hasLimit {
            guard isApproximate else {
                throw .message("ERR syntax error, LIMIT cannot be used without the special ~ option")
            }
        } else if isApproximate {
            let (product, overflow) = call.settings.streamNodeMaxEntries.multipliedReportingOverflow(
                by: StreamTrim.nodesMax)
            if overflow {
                limit = StreamTrim.limitMax
            } else {
                limit = product <= 0 ? StreamTrim.defaultLimit : min(product, StreamTrim.limitMax)
            }
        }
    }

    /// Trims; returns how many entries went.
    func apply(to stream: inout StreamLog) -> Int {
        guard let strategy else { return 0 }
        return stream.trim(strategy, isApproximate: isApproximate, limit: limit, policy: policy ?? .keep)
    }

    /// Whether the words as they were sent could trim otherwise elsewhere, or would not be understood by Redis 7.0.
    var isRewritten: Bool { isApproximate || policy != nil }

    /// The trimming that was done, as exact words. The policies of Redis 8.2 have none in older servers; they are the
    /// only thing here that Redis 7.0 would not read.
    func add(to words: inout JournalWords, after stream: borrowing StreamLog) {
        guard let strategy else { return }
        // What ACKED left in the way stands below any identifier that could be named, so its length is what counts.
        if case .minimumID = strategy, policy != .requireAcknowledged {
            words.add("MINID")
            words.add("=")
            (stream.length > 0 ? stream.firstID : .max).add(to: &words)
        } else {
            words.add("MAXLEN")
            words.add("=")
            words.add(decimal: Int64(stream.length))
        }
        if policy == .remove { words.add("DELREF") }
        if policy == .requireAcknowledged { words.add("ACKED") }
    }

    /// What the trimming may change: pending lists only under DELREF.
    var changesGroups: Bool { policy == .remove }
}

extension StreamLog.ReferencePolicy {
    /// KEEPREF, DELREF or ACKED, when it is the next word.
    init?(_ options: inout Options) {
        if options.take("KEEPREF") {
            self = .keep
        } else if options.take("DELREF") {
            self = .remove
        } else if options.take("ACKED") {
            self = .requireAcknowledged
        } else {
            return nil
        }
    }
}
