// MarketIndex+Bookings.swift - bookings in the market's index: which windows of a GPU are taken, what begins or ends
// next, how many were made in the last 24 hours. Pure; under the turn. Changes cost O(log n), the question whether a
// window is free O(open bookings of that GPU).
internal import Base
internal import Engine

extension MarketIndex {
    /// "24 hours" of MARKET STATS.
    package static let recentMilliseconds: Int64 = 86_400_000

    package func findBooking(_ identifier: Span<UInt8>) -> Int32? {
        bookingNames.find(identifier, hash: NameTable.hash(identifier)).map { Int32($0) }
    }

    package func bookingName(_ number: Int32) -> [UInt8] { bookingNames.name(Int(number)) }
    package func booking(_ number: Int32) -> BookingItem { bookings[Int(number)] }

    /// The record of `identifier` says `item` now, whose names the caller held.
    package mutating func setBooking(_ identifier: Span<UInt8>, _ item: BookingItem, now: Int64) {
        let (number, isNew) = bookingNames.insert(identifier, hash: NameTable.hash(identifier))
        if isNew {
            while bookings.count <= number {
                bookings.append(BookingItem())
                marketOfBooking.append(-1)
            }
        } else {
            unlinkBooking(Int32(number))
        }
        let old = isNew ? nil : bookings[number]
        let oldMarket = isNew ? -1 : marketOfBooking[number]
        bookings[number] = item
        marketOfBooking[number] = holdMarket(item.type, item.region, now: now)
        linkBooking(Int32(number), now: now)
        if let old {
            releaseMarket(oldMarket, now: now)
            releaseNames(old)
        }
    }

    package mutating func removeBooking(_ identifier: Span<UInt8>, now: Int64) {
        guard let number = findBooking(identifier) else { return }
        unlinkBooking(number)
        let old = bookings[Int(number)]
        bookings[Int(number)] = BookingItem()
        releaseMarket(marketOfBooking[Int(number)], now: now)
        marketOfBooking[Int(number)] = -1
        releaseNames(old)
        bookingNames.remove(Int(number))
    }

    private mutating func releaseNames(_ item: BookingItem) {
        for name in [item.gpu, item.user, item.type, item.region] { names.release(name) }
    }

    private static func gpuKey(_ gpu: Int32, _ status: BookingStatus) -> Int { Int(gpu) * 4 + Int(status.rawValue) }

    private mutating func linkBooking(_ number: Int32, now: Int64) {
        let item = bookings[Int(number)]
        bookingsByStatus.append(number, to: Int(item.status.rawValue))
        if item.gpu >= 0 { bookingsByGPU.append(number, to: MarketIndex.gpuKey(item.gpu, item.status)) }
        if item.user >= 0 { bookingsByUser.append(number, to: Int(item.user)) }
        if let due = MarketIndex.due(item) {
            // At one instant what ends comes before what begins.
            let order = Int64(number) + (item.status == .active ? 0 : 1 << 32)
            bookingTimers.insert(.init(key: due, order: order, item: number), &timerPlaces)
        }
        let market = Int(marketOfBooking[Int(number)])
        guard market >= 0, MarketIndex.isRecent(item, now: now) else { return }
        markets[market].recentBookings += 1
        recent.insert(.init(key: item.created, order: Int64(number), item: number), &recentPlaces)
    }

    private mutating func unlinkBooking(_ number: Int32) {
        let item = bookings[Int(number)]
        bookingsByStatus.remove(number, from: Int(item.status.rawValue))
        if item.gpu >= 0 { bookingsByGPU.remove(number, from: MarketIndex.gpuKey(item.gpu, item.status)) }
        if item.user >= 0 { bookingsByUser.remove(number, from: Int(item.user)) }
        if MarketIndex.due(item) != nil { bookingTimers.remove(number, &timerPlaces) }
        guard recentPlaces.holds(number) else { return }
        recent.remove(number, &recentPlaces)
        markets[Int(marketOfBooking[Int(number)])].recentBookings -= 1
    }

    /// When the clock has something to do for it.
    private static func due(_ item: BookingItem) -> Int64? {
        switch item.status {
        case .scheduled: item.start
        case .active: item.end == .max ? nil : item.end
        case .completed, .cancelled: nil
        }
    }

    /// A booking is recent for 24 hours from its making; one from the future, by a clock that was set, as well.
    package static func isRecent(_ item: BookingItem, now: Int64) -> Bool {
        let (age, overflow) = now.subtractingReportingOverflow(item.created)
        return overflow ? item.created > now : age < recentMilliseconds
    }

    mutating func forgetOldBookings(now: Int64) {
        while let first = recent.first, !MarketIndex.isRecent(bookings[Int(first.item)], now: now) {
            recent.remove(first.item, &recentPlaces)
            markets[Int(marketOfBooking[Int(first.item)])].recentBookings -= 1
        }
    }

    // MARK: questions

    /// A booking that begins or ends now or should have.
    package func dueBooking(now: Int64) -> Int32? {
        guard let first = bookingTimers.first, first.key <= now else { return nil }
        return first.item
    }

    package var nextBookingDeadline: Int64? { bookingTimers.first?.key }

    /// The booking that has the GPU now.
    package func activeBooking(ofGPU name: Span<UInt8>) -> Int32? {
        guard let gpu = names.find(name) else { return nil }
        return bookingsByGPU.first(MarketIndex.gpuKey(gpu, .active))
    }

    /// An open booking of the GPU that shares an instant with the window, other than `except`.
    package func conflict(ofGPU name: Span<UInt8>, from start: Int64, to end: Int64, except: Int32? = nil) -> Int32? {
        guard let gpu = names.find(name) else { return nil }
        var found: Int32?
        for status in [BookingStatus.active, .scheduled] {
            bookingsByGPU.forEach(MarketIndex.gpuKey(gpu, status)) { number in
                if number != except, bookings[Int(number)].overlaps(start, end) { found = number }
                return found == nil
            }
        }
        return found
    }

    /// Calls `body` with the bookings that fit, nil for any, until it answers false. Costs the length of the shortest
    /// list that an index has for these conditions.
    package func forEachBooking(
        user: Int32?, gpu: Int32?, status: BookingStatus?, _ body: (Int32) -> Bool
    ) {
        if let user {
            bookingsByUser.forEach(Int(user)) { number in
                let item = bookings[Int(number)]
                if let gpu, item.gpu != gpu { return true }
                if let status, item.status != status { return true }
                return body(number)
            }
            return
        }
        var goesOn = true
        func visit(_ number: Int32) -> Bool {
            goesOn = body(number)
            return goesOn
        }
        for each in BookingStatus.allCases where goesOn && (status == nil || status == each) {
            if let gpu {
                bookingsByGPU.forEach(MarketIndex.gpuKey(gpu, each), visit)
            } else {
                bookingsByStatus.forEach(Int(each.rawValue), visit)
            }
        }
    }
}
