// ClientFilter.swift - which clients CLIENT LIST shows and CLIENT KILL closes: the filters of Redis 8.2, and those that
// Valkey 9.1 adds (NAME, IDLE, FLAGS, LIB-NAME, LIB-VER, DB, CAPA, IP). All that are given must match.
internal import Base
internal import Engine
internal import RESP

struct ClientFilter {
    private enum Kind { case normal, primary, replica, pubsub }

    var skipsMe: Bool
    var address: String?
    private var ids: Set<Int>?
    private var kind: Kind?
    private var user: String?
    private var localAddress: String?
    private var ip: String?
    private var name: String?
    private var libraryName: String?
    private var libraryVersion: String?
    private var flags: String?
    private var ageMinimumSeconds: Int?
    private var idleMinimumSeconds: Int?
    private var database: Int?
    private var wantsRedirect: Bool?

    init(skipsMe: Bool) { self.skipsMe = skipsMe }

    func matches(_ session: SessionReference, _ call: borrowing Call) -> Bool {
        if skipsMe && session == call.sessionReference { return false }
        if let ids, !ids.contains(Int(session.session.id)) { return false }
        if let kind, kind != ClientFilter.kind(of: session) { return false }
        if let user, user != session.session.userName { return false }
        if let address, address != session.session.address { return false }
        if let localAddress, localAddress != session.session.localAddress { return false }
        if let ip, ip != ClientFilter.host(of: session.session.address) { return false }
        if let name, name != session.session.name { return false }
        if let libraryName, libraryName != session.session.libraryName { return false }
        if let libraryVersion, libraryVersion != session.session.libraryVersion { return false }
        if let database, database != session.session.database { return false }
        if let wantsRedirect, wantsRedirect != session.session.followsRedirects { return false }
        if let flags {
            let has = ClientLine.flags(session)
            if !flags.allSatisfy({ has.contains($0) }) { return false }
        }
        return matchesTimes(session, call)
    }

    private func matchesTimes(_ session: SessionReference, _ call: borrowing Call) -> Bool {
        let now = call.administration.clock.nowMilliseconds
        if let age = ageMinimumSeconds, (now - session.session.createdMilliseconds) / 1000 < Int64(age) { return false }
        if let idle = idleMinimumSeconds {
            return (now - session.session.lastInteractionMilliseconds) / 1000 >= Int64(idle)
        }
        return true
    }

    private static func kind(of session: SessionReference) -> Kind {
        if session.session.isReplica { return .replica }
        return session.session.isSubscriber ? .pubsub : .normal
    }

    /// The address without its port.
    private static func host(of address: String) -> String {
        guard let colon = address.lastIndex(of: ":") else { return address }
        let host = address[..<colon]
        return host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : String(host)
    }

    // MARK: parsing

    mutating func parse(
        _ call: borrowing Call, from start: Int, invalidId: StaticString
    ) throws(CommandError) {
        var options = call.options(from: start)
        while !options.isAtEnd {
            if options.take("ID", values: 1) {
                try parseIds(&options, invalidId: invalidId)
            } else if options.take("TYPE", values: 1) {
                try parseKind(call, &options)
            } else if options.take("USER", values: 1) {
                user = try options.next().text
                guard user == "default" else {
                    call.reply.error("ERR No such user '\(user ?? "")'")
                    throw .written
                }
            } else if options.take("SKIPME", values: 1) {
                if options.take("yes") {
                    skipsMe = true
                } else if options.take("no") {
                    skipsMe = false
                } else {
                    throw .syntax
                }
            } else {
                let isNumber = try parseNumber(&options)
                let isKnown = try isNumber ? true : parseText(&options)
                guard isKnown else { throw .syntax }
            }
        }
    }

    static let idTooSmall: StaticString = "ERR client-id should be greater than 0"

    /// One id at least; more may follow.
    private mutating func parseIds(_ options: inout Options, invalidId: StaticString) throws(CommandError) {
        var wanted = ids ?? []
        guard let first = IntegerText.parse(try options.next()) else { throw .message(invalidId) }
        guard first > 0 else { throw .message(ClientFilter.idTooSmall) }
        wanted.insert(Int(first))
        while let id = options.peekInteger() {
            guard id > 0 else { throw .message(ClientFilter.idTooSmall) }
            wanted.insert(id)
            try options.skip(1)
        }
        // A word that is neither an id nor a filter was meant as an id.
        if !options.isAtEnd && !ClientFilter.isFilter(options) { throw .message(invalidId) }
        ids = wanted
    }

    private static func isFilter(_ options: borrowing Options) -> Bool {
        let words: [StaticString] = [
            "ID", "TYPE", "USER", "SKIPME", "ADDR", "LADDR", "MAXAGE", "IDLE", "DB", "NAME", "FLAGS", "LIB-NAME",
            "LIB-VER", "CAPA", "IP",
        ]
        return words.contains { options.isNext($0) }
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

    private mutating func parseNumber(_ options: inout Options) throws(CommandError) -> Bool {
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
        } else if options.take("DB", values: 1) {
            guard let index = IntegerText.parse(try options.next()) else {
                throw .message("ERR DB is not an integer or out of range")
            }
            guard index >= 0 else { throw .message("ERR DB number should be between 0 and the number of databases") }
            database = Int(index)
        } else {
            return false
        }
        return true
    }

    private mutating func parseText(_ options: inout Options) throws(CommandError) -> Bool {
        if options.take("ADDR", values: 1) {
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
        } else if options.take("FLAGS", values: 1) {
            flags = try options.next().text
        } else if options.take("CAPA", values: 1) {
            wantsRedirect = try options.next().equals("r")
        } else {
            return false
        }
        return true
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
