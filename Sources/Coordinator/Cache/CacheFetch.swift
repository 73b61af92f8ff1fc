// CacheFetch.swift - FOG.CACHE FETCH and FILL: of all clients that miss a key, one is told to fetch it (`lease`, with a
// token for FILL); the others wait until it is there or their time is over. A lease whose time ends goes to one of
// those who wait. A value near its end (STALE) is served to all and renewed by one. Waiting is that of BLPOP: FILL's
// change of the key wakes those who wait for it, in the order in which they came. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum CacheFetch {
    static let subcommands: [Command] = [
        Command(
            "FETCH", "key [LEASE milliseconds:integer] [STALE milliseconds:integer] [WAIT milliseconds:integer]",
            arity: -3, [.readonly, .blocking], keys: [.key(at: 2, [.readOnly, .access])], in: .fog, since: "8.2.0",
            complexity: "O(1)", summary: "Returns a value, or the lease to fetch it, or waits for who has the lease.",
            help: [
                "FETCH <key> [LEASE <milliseconds>] [STALE <milliseconds>] [WAIT <milliseconds>]",
                "    Return a value; on a miss, the lease to fetch it or the value that another client fetches.",
            ],
            run: fetch),
        Command(
            "FILL",
            "key token value [expiration=(EX seconds:integer | PX milliseconds:integer | PERSIST)] [CONTENT type] "
                + "[TAG tag...]",
            arity: -5, [.write, .denyOOM], keys: [.key(at: 2, [.overwrite, .update])], in: .fog, since: "8.2.0",
            complexity: "O(N) where N is the number of tags.",
            summary: "Sets the value of a key by a lease that FETCH gave.",
            help: [
                "FILL <key> <token> <value> [EX <seconds>|PX <milliseconds>|PERSIST] [CONTENT <type>] [TAG <tag> ...]",
                "    Set the value that FETCH gave a lease for.",
            ],
            run: fill),
    ]

    private struct FetchOptions {
        var lease: Int
        var stale = 0
        var wait: Int?

        init(_ call: borrowing Call) throws(CommandError) {
            lease = call.settings.fog.leaseMilliseconds
            var words = call.options(from: call.firstWord + 1)
            while !words.isAtEnd {
                if words.take("LEASE", values: 1) {
                    lease = try words.integer(in: 1...limit, otherwise: .message("ERR LEASE is 1 to 86400000"))
                } else if words.take("STALE", values: 1) {
                    stale = try words.integer(in: 0...limit, otherwise: .message("ERR STALE is 0 to 86400000"))
                } else if words.take("WAIT", values: 1) {
                    wait = try words.integer(in: 0...limit, otherwise: .message("ERR WAIT is 0 to 86400000"))
                } else {
                    throw .syntax
                }
            }
        }

        private var limit: Int { 86_400_000 }
    }

    private enum State {
        case hit, stale, lease, wait

        var name: StaticString {
            switch self {
            case .hit: "hit"
            case .stale: "stale"
            case .lease: "lease"
            case .wait: "wait"
            }
        }
    }

    private static let fetch: Command.Handler = { (call: inout Call) throws(CommandError) in
        let options = try FetchOptions(call)
        let index = call.firstWord
        let isFirstRun = call.resumption == nil
        let until = call.cache.waitsUntil.removeValue(forKey: call.session.id)
        if call.resumption == .unblocked { throw .message("UNBLOCKED client unblocked via CLIENT UNBLOCK") }
        // Who waited missed once, however often it looked.
        let slot = isFirstRun ? call.readSlot(index, hash: call.hash(index)) : call.find(index)
        let key = LeaseKey(database: call.session.database, call.arguments[index])
        if let entry = slot?.entry {
            guard entry.isString else { throw .wrongType }
            return answer(call, entry, key, options)
        }
        if let lease = call.cache.leases.lease(key, now: call.now) {
            let end = until ?? call.now + Int64(options.wait ?? options.lease)
            let canWait = isFirstRun || until != nil
            guard canWait, end > call.now else { return write(call, .wait, nil, nil) }
            call.cache.waitsUntil[call.session.id] = end
            // The lease may end first: then one of those who wait gets it.
            let milliseconds = max(1, min(end, lease.expiresAt) - call.now)
            return call.waitForKeys(
                index..<(index + 1), .string, milliseconds: milliseconds, evenWithoutKey: true, renewsDeadline: true)
        }
        let lease = grant(call, key, options, isRefresh: false)
        write(call, .lease, nil, lease?.token)
    }

    /// The value is there: a hit, or so near its end that somebody should renew it.
    private static func answer(
        _ call: borrowing Call, _ entry: Entry, _ key: LeaseKey, _ options: FetchOptions
    ) {
        let isStale = options.stale > 0 && entry.hasExpiry
            && entry.expiryMilliseconds - call.now <= Int64(options.stale)
        guard isStale else { return write(call, .hit, entry, nil) }
        let isOut = call.cache.leases.lease(key, now: call.now) != nil
        write(call, .stale, entry, isOut ? nil : grant(call, key, options, isRefresh: true)?.token)
    }

    private static func grant(
        _ call: borrowing Call, _ key: LeaseKey, _ options: FetchOptions, isRefresh: Bool
    ) -> Lease? {
        // Of 53 bits, which every client can keep as a number; never 0.
        let token = call.random() >> 11 | 1
        return call.cache.leases.grant(
            key, token: token, now: call.now, milliseconds: Int64(options.lease), isRefresh: isRefresh)
    }

    private static func write(_ call: borrowing Call, _ state: State, _ entry: Entry?, _ token: UInt64?) {
        call.reply.map(3)
        call.reply.bulk("state")
        call.reply.bulk(state.name)
        call.reply.bulk("value")
        if let entry { call.reply.text(of: entry) } else { call.reply.null() }
        call.reply.bulk("token")
        if let token { call.reply.bulk(decimal: Int(token)) } else { call.reply.null() }
    }

    private static let fill: Command.Handler = { (call: inout Call) throws(CommandError) in
        let index = call.firstWord
        let token = IntegerText.parse(call.arguments[index + 1]) ?? 0
        let options = try CacheOptions(call, from: index + 3)
        let key = LeaseKey(database: call.session.database, call.arguments[index])
        if let lease = call.cache.leases.lease(key, now: call.now), !lease.isRefresh, call.look(index) != nil {
            call.cache.leases.revoke(key)
            throw .message("LEASELOST the key was written while its lease was out")
        }
        let refusal = call.cache.leases.fill(
            key, token: UInt64(max(0, token)), tags: options.names(call), now: call.now)
        switch refusal {
        case nil: break
        case .noLease: throw .message("LEASELOST no lease of this key is out: FETCH it again")
        case .other: throw .message("LEASELOST another client has the lease of this key")
        case .staleTag: throw .message("LEASELOST a tag of the value was invalidated while the lease was out")
        }
        call.cacheValue(index, call.arguments[index + 2], options)
        call.reply.ok()
    }
}
