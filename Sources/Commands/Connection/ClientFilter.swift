// ClientFilter.swift - which clients CLIENT LIST shows and CLIENT KILL closes: the filters of Redis 8.2, and those that
// Valkey 9.1 adds (NAME, IDLE, FLAGS, LIB-NAME, LIB-VER, DB, CAPA, IP, and NOT- before most). All that are given must
// match, and none of those with NOT-. Engine's turn.
internal import Base
internal import Engine
internal import RESP

struct ClientFilter {
    fileprivate enum Kind { case normal, primary, replica, pubsub }

    /// What may be asked of a client, or ruled out; nil where it is not.
    fileprivate struct Conditions {
        var ids: Set<Int>?
        var kind: Kind?
        var user: String?
        var address: String?
        var localAddress: String?
        var ip: String?
        var name: String?
        var libraryName: String?
        var libraryVersion: String?
        var flags: String?
        var database: Int?
        var capabilities: String?
    }

    private var skipsMe: Bool
    private var wanted = Conditions()
    private var unwanted = Conditions()
    private var ageMinimumSeconds: Int?
    private var idleMinimumSeconds: Int?

    init(skipsMe: Bool) { self.skipsMe = skipsMe }

    /// CLIENT KILL's old form.
    init(address: String) {
        skipsMe = false
        wanted.address = address
    }

    // MARK: matching

    func matches(_ session: SessionReference, _ call: borrowing Call) -> Bool {
        if skipsMe && session == call.sessionReference { return false }
        var isWanted = true
        wanted.check(session) { isWanted = isWanted && $0 }
        guard isWanted else { return false }
        var isUnwanted = false
        unwanted.check(session) { isUnwanted = isUnwanted || $0 }
        return !isUnwanted && matchesTimes(session, call)
    }

    private func matchesTimes(_ session: SessionReference, _ call: borrowing Call) -> Bool {
        let now = call.administration.clock.nowMilliseconds
        if let age = ageMinimumSeconds, (now - session.session.createdMilliseconds) / 1000 < Int64(age) { return false }
        if let idle = idleMinimumSeconds {
            return (now - session.session.lastInteractionMilliseconds) / 1000 >= Int64(idle)
        }
        return true
    }

    fileprivate static func kind(of session: SessionReference) -> Kind {
        if session.session.isReplica { return .replica }
        return session.session.isSubscriber ? .pubsub : .normal
    }

    /// The address without its port.
    fileprivate static func host(of address: String) -> String {
        guard let colon = address.lastIndex(of: ":") else { return address }
        let host = address[..<colon]
        return host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : String(host)
    }

    // MARK: parsing

    static let idTooSmall: StaticString = "ERR client-id should be greater than 0"

    mutating func parse(
        _ call: borrowing Call, from start: Int, invalidId: StaticString
    ) throws(CommandError) {
        var options = call.options(from: start)
        while !options.isAtEnd {
            if options.take("ID", values: 1) {
                try ClientFilter.parseIds(&options, &wanted, invalid: invalidId)
                // A word that is neither an id nor a filter was meant as an id.
                if !options.isAtEnd && !ClientFilter.isFilter(options) { throw .message(invalidId) }
            } else if options.take("NOT-ID", values: 1) {
                try ClientFilter.parseIds(&options, &unwanted, invalid: CommandError.syntax.text)
            } else if options.take("SKIPME", values: 1) {
                if options.take("yes") {
                    skipsMe = true
                } else if options.take("no") {
                    skipsMe = false
                } else {
                    throw .syntax
                }
            } else {
                var isKnown = try parseTimes(&options)
                if !isKnown { isKnown = try wanted.parse(call, &options) }
                if !isKnown { isKnown = try unwanted.parseNot(call, &options) }
                guard isKnown else { throw .syntax }
            }
        }
    }

    /// One id at least; more may follow.
    private static func parseIds(
        _ options: inout Options, _ conditions: inout Conditions, invalid: StaticString
    ) throws(CommandError) {
        guard let first = IntegerText.parse(try options.next()) else { throw .message(invalid) }
        guard first > 0 else { throw .message(idTooSmall) }
        conditions.ids = (conditions.ids ?? []).union([Int(first)])
        while let id = options.peekInteger() {
            guard id > 0 else { throw .message(idTooSmall) }
            conditions.ids?.insert(id)
            try options.skip(1)
        }
    }

    private static func isFilter(_ options: borrowing Options) -> Bool {
        let words: [StaticString] = [
            "ID", "TYPE", "USER", "SKIPME", "ADDR", "LADDR", "MAXAGE", "IDLE", "DB", "NAME", "FLAGS", "LIB-NAME",
            "LIB-VER", "CAPA", "IP", "NOT-ID", "NOT-TYPE", "NOT-USER", "NOT-ADDR", "NOT-LADDR", "NOT-DB", "NOT-NAME",
            "NOT-FLAGS", "NOT-LIB-NAME", "NOT-LIB-VER", "NOT-CAPA", "NOT-IP",
        ]
        return words.contains { options.isNext($0) }
    }

    private mutating func parseTimes(_ options: inout Options) throws(CommandError) -> Bool {
        if options.take("MAXAGE", values: 1) {
            guard let age = IntegerText.parse(try options.next()) else {
                throw .message("ERR maxage is not an integer or out of range")
            }
            guard age > 0 else { throw .message("ERR maxage should be greater than 0") }
            ageMinimumSeconds = Int(age)
        } else if options.take("IDLE", values: 1) {
            guard let idle = IntegerText.parse(try options.next()) else {
                throw .message("ERR idle is not an integer or out of range")
            }
            guard idle > 0 else { throw .message("ERR idle should be greater than 0") }
            idleMinimumSeconds = Int(idle)
        } else {
            return false
        }
        return true
    }
}

fileprivate extension ClientFilter.Conditions {
    /// Tells of each condition that is given whether it holds. What a client has not set is not even the empty text.
    func check(_ session: SessionReference, _ tell: (Bool) -> Void) {
        if let ids { tell(ids.contains(Int(session.session.id))) }
        if let kind { tell(kind == ClientFilter.kind(of: session)) }
        if let user { tell(user == session.session.userName) }
        if let address { tell(address == session.session.address) }
        if let localAddress { tell(localAddress == session.session.localAddress) }
        if let ip { tell(ip == ClientFilter.host(of: session.session.address)) }
        if let name { tell(!name.isEmpty && name == session.session.name) }
        if let libraryName { tell(!libraryName.isEmpty && libraryName == session.session.libraryName) }
        if let libraryVersion { tell(!libraryVersion.isEmpty && libraryVersion == session.session.libraryVersion) }
        if let database { tell(database == session.session.database) }
        if let capabilities { tell(capabilities.isEmpty || session.session.followsRedirects) }
        if let flags {
            let has = ClientLine.flags(session)
            tell(flags.allSatisfy { has.contains($0) })
        }
    }

    /// Takes one condition off the options; false when there stands none.
    mutating func parse(_ call: borrowing Call, _ options: inout Options) throws(CommandError) -> Bool {
        if options.take("TYPE", values: 1) {
            try parseKind(call, &options)
        } else if options.take("USER", values: 1) {
            try parseUser(call, &options)
        } else if options.take("ADDR", values: 1) {
            address = try options.next().text
        } else if options.take("LADDR", values: 1) {
            localAddress = try options.next().text
        } else if options.take("IP", values: 1) {
            ip = try options.next().text
        } else if options.take("NAME", values: 1) {
            name = try options.next().text
        } else if options.take("LIB-NAME", values: 1) {
            libraryName = try options.next().text
        } else if options.take("LIB-VER", values: 1) {
            libraryVersion = try options.next().text
        } else if options.take("DB", values: 1) {
            try parseDatabase(call, &options, "DB")
        } else if options.take("FLAGS", values: 1) {
            flags = try Self.letters(call, &options, of: Self.knownFlags, "flags", "provided")
        } else if options.take("CAPA", values: 1) {
            capabilities = try Self.letters(call, &options, of: "r", "capa", "provided")
        } else {
            return false
        }
        return true
    }

    /// The same for conditions that rule out.
    mutating func parseNot(_ call: borrowing Call, _ options: inout Options) throws(CommandError) -> Bool {
        if options.take("NOT-TYPE", values: 1) {
            try parseKind(call, &options)
        } else if options.take("NOT-USER", values: 1) {
            try parseUser(call, &options)
        } else if options.take("NOT-ADDR", values: 1) {
            address = try options.next().text
        } else if options.take("NOT-LADDR", values: 1) {
            localAddress = try options.next().text
        } else if options.take("NOT-IP", values: 1) {
            ip = try options.next().text
        } else if options.take("NOT-NAME", values: 1) {
            name = try options.next().text
        } else if options.take("NOT-LIB-NAME", values: 1) {
            libraryName = try options.next().text
        } else if options.take("NOT-LIB-VER", values: 1) {
            libraryVersion = try options.next().text
        } else if options.take("NOT-DB", values: 1) {
            try parseDatabase(call, &options, "NOT-DB")
        } else if options.take("NOT-FLAGS", values: 1) {
            flags = try Self.letters(call, &options, of: Self.knownFlags, "flags", "NOT-FLAGS")
        } else if options.take("NOT-CAPA", values: 1) {
            capabilities = try Self.letters(call, &options, of: "r", "capa", "NOT-CAPA")
        } else {
            return false
        }
        return true
    }

    /// The letters that CLIENT LIST may show, in this server or in others of its kind.
    private static let knownFlags = "bcdeirtuxABEIMNOPRSTU"

    private static func letters(
        _ call: borrowing Call, _ options: inout Options, of known: String, _ what: String, _ filter: String
    ) throws(CommandError) -> String {
        let text = try options.next().text
        guard text.allSatisfy({ known.contains($0) }) else {
            call.reply.error("ERR Unknown \(what) found in the \(filter) filter: \(text)")
            throw .written
        }
        return text
    }

    private mutating func parseKind(_ call: borrowing Call, _ options: inout Options) throws(CommandError) {
        if options.take("normal") {
            kind = .normal
        } else if options.take("master") || options.take("primary") {
            kind = .primary
        } else if options.take("replica") || options.take("slave") {
            kind = .replica
        } else if options.take("pubsub") {
            kind = .pubsub
        } else {
            call.reply.error("ERR Unknown client type '\(try options.next().text)'")
            throw .written
        }
    }

    private mutating func parseUser(_ call: borrowing Call, _ options: inout Options) throws(CommandError) {
        let name = try options.next()
        guard call.administration.acl.find(name.array) != nil else {
            call.reply.error("ERR No such user '\(name.text)'")
            throw .written
        }
        user = name.text
    }

    private mutating func parseDatabase(
        _ call: borrowing Call, _ options: inout Options, _ option: String
    ) throws(CommandError) {
        guard let index = IntegerText.parse(try options.next()) else {
            call.reply.error("ERR \(option) is not an integer or out of range")
            throw .written
        }
        let last = call.settings.databases - 1
        guard index >= 0, index <= Int64(last) else {
            call.reply.error("ERR \(option) number should be between 0 and \(last)")
            throw .written
        }
        database = Int(index)
    }
}

extension Options {
    /// The next word as an integer, without taking it.
    func peekInteger() -> Int? {
        var copy = self
        guard let word = try? copy.next(), let value = IntegerText.parse(word) else { return nil }
        return Int(value)
    }
}
