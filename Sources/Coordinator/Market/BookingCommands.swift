// BookingCommands.swift - FOG.BOOK: bookings of GPUs. A booking takes its GPU for a window of time: from now on, or
// from START, when the clock begins it; without END until it is completed or cancelled. No two open bookings of one
// GPU share an instant. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum BookingCommands {
    static let subcommands: [Command] = [
        Command(
            "CREATE",
            """
            booking gpu user [START milliseconds:unix-time] [END milliseconds:unix-time] [PRICE price:double]
            """,
            arity: -5, [.write, .denyOOM, .fast], keys: [.key(at: 2, [.notKey])], in: .fog,
            categories: MarketCommand.category, since: "8.2.0",
            complexity: "O(log N+B) where N is the number of GPUs and B that of the GPU's open bookings.",
            summary: "Books a GPU, or fails when it is not free.",
            help: [
                "CREATE <booking> <gpu> <user> [START <unix ms>] [END <unix ms>] [PRICE <price>]",
                "    Book a GPU from now or START on. -BUSY when it is not available or the window is taken.",
            ],
            run: create),
        Command(
            "GET", "booking", arity: 3, [.readonly, .fast], keys: [.key(at: 2, [.notKey])], in: .fog,
            categories: MarketCommand.category, since: "8.2.0", complexity: "O(1)",
            summary: "Returns everything that is known of a booking.",
            help: ["GET <booking>", "    Return a booking's fields and values."], run: get),
        Command(
            "LIST",
            "[USER user] [GPU gpu] [status=STATUS (SCHEDULED | ACTIVE | COMPLETED | CANCELLED)]", arity: -2,
            [.readonly], in: .fog, categories: MarketCommand.category, since: "8.2.0",
            complexity: "O(N) where N is the number of bookings with the rarest of the conditions.",
            summary: "Returns bookings by user, GPU and status.",
            help: [
                "LIST [USER <user>] [GPU <gpu>] [STATUS SCHEDULED|ACTIVE|COMPLETED|CANCELLED]",
                "    Return the bookings that fit, each with all fields.",
            ],
            run: list),
        Command(
            "COMPLETE", "booking", arity: 3, [.write, .denyOOM, .fast], keys: [.key(at: 2, [.notKey])], in: .fog,
            categories: MarketCommand.category, since: "8.2.0",
            complexity: "O(log N) where N is the number of bookings.",
            summary: "Ends a booking and gives its GPU back.",
            help: ["COMPLETE <booking>", "    End a booking; its GPU is available again."], run: complete),
        Command(
            "CANCEL", "booking [gpu]", arity: -3, [.write, .denyOOM, .fast], keys: [.key(at: 2, [.notKey])],
            in: .fog, categories: MarketCommand.category, since: "8.2.0",
            complexity: "O(log N) where N is the number of bookings.",
            summary: "Cancels a booking and gives its GPU back.",
            help: ["CANCEL <booking> [<gpu>]", "    Cancel a booking; its GPU is available again."], run: cancel),
    ]

    private struct Window {
        var start: Int64
        var end = Int64.max
        var price: Money?

        init(_ words: inout Options, now: Int64) throws(CommandError) {
            start = now
            while !words.isAtEnd {
                if words.take("START", values: 1) {
                    start = max(now, Int64(try words.nonnegative()))
                } else if words.take("END", values: 1) {
                    end = Int64(try words.nonnegative())
                } else if words.take("PRICE", values: 1) {
                    price = try words.money()
                } else {
                    throw .syntax
                }
            }
            guard end > start else { throw .message("ERR a booking ends after it starts and after now") }
        }
    }

    private static let create: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let id = call.arguments[first].array
        let gpuName = call.arguments[first + 1].array
        var words = call.options(from: first + 3)
        let window = try Window(&words, now: call.now)
        try call.checkWrite(.booking, id.span)
        try call.checkWrite(.gpu, gpuName.span)
        guard try call.foundRecord(.booking, id.span) == nil else {
            throw .message("ERR a booking with this id exists")
        }
        let market = call.market()
        guard let gpu = market.index.findGPU(gpuName.span) else { throw MarketCommand.unknownGPU }
        let isNow = window.start <= call.now
        if isNow, market.index.gpu(gpu).status != .available {
            throw .message("BUSY the GPU is not available")
        }
        guard market.index.conflict(ofGPU: gpuName.span, from: window.start, to: window.end) == nil else {
            throw .message("BUSY the GPU is booked in this window")
        }
        let price = window.price ?? market.index.quote(gpu: gpu, market.rule)
        let desk = call.desk(market)
        let events = desk.book(
            &call.administration, id, gpu: gpu, user: call.arguments[first + 2], start: window.start,
            end: window.end, price: price)
        call.reply.map(4)
        call.reply.pair("booking", bytes: id.span)
        call.reply.pair("gpu", bytes: gpuName.span)
        call.reply.pair("price", money: price)
        call.reply.bulk("events")
        call.reply.array(events.count)
        for event in events { call.reply.bulk(event.name) }
    }

    private static let get: Command.Handler = { (call: inout Call) throws(CommandError) in
        _ = call.market()
        let id = call.arguments[call.firstWord]
        guard let entry = try call.record(.booking, id) else { return call.reply.null() }
        call.reply.record("booking", id, entry, now: call.now)
    }

    private static let list: Command.Handler = { (call: inout Call) throws(CommandError) in
        var words = call.words()
        var user: Int32?
        var gpu: Int32?
        var status: BookingStatus?
        var fitsNothing = false
        let market = call.market()
        while !words.isAtEnd {
            if words.take("USER", values: 1) {
                user = market.index.names.find(try words.next())
                fitsNothing = fitsNothing || user == nil
            } else if words.take("GPU", values: 1) {
                gpu = market.index.names.find(try words.next())
                fitsNothing = fitsNothing || gpu == nil
            } else if words.take("STATUS", values: 1) {
                guard let named = BookingStatus(try words.next()) else {
                    throw .message("ERR STATUS must be scheduled, active, completed or cancelled")
                }
                status = named
            } else {
                throw .syntax
            }
        }
        try call.checkReadAll(.booking)
        var found: [Int32] = []
        if !fitsNothing {
            market.index.forEachBooking(user: user, gpu: gpu, status: status) { number in
                found.append(number)
                return true
            }
        }
        let mark = call.reply.length
        var count = 0
        let desk = call.desk(market)
        for number in found {
            let id = market.index.bookingName(number)
            guard let entry = desk.entry(&call.administration, .booking, id) else { continue }
            count += 1
            call.reply.record("booking", id.span, entry, now: call.now)
        }
        call.reply.insertHeader(UInt8(ascii: "*"), count, at: mark)
    }

    private static let complete: Command.Handler = { (call: inout Call) throws(CommandError) in
        try close(&call, .completed)
    }

    private static let cancel: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard call.arguments.count <= call.firstWord + 2 else { throw .syntax }
        try close(&call, .cancelled)
    }

    private static func close(_ call: inout Call, _ status: BookingStatus) throws(CommandError) {
        let first = call.firstWord
        try call.checkWrite(.booking, call.arguments[first])
        let market = call.market()
        guard let number = market.index.findBooking(call.arguments[first]) else { throw MarketCommand.unknownBooking }
        let item = market.index.booking(number)
        let gpu = market.index.names[item.gpu]
        if call.arguments.count > first + 1, !gpu.span.equals(call.arguments[first + 1]) {
            throw .message("ERR the booking is of another GPU")
        }
        guard item.status.isOpen else { throw .message("ERR the booking is completed or cancelled already") }
        try call.checkWrite(.gpu, gpu.span)
        call.desk(market).close(&call.administration, number, status)
        call.reply.ok()
    }
}
