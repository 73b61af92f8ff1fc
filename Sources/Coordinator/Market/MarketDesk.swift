// MarketDesk.swift - the changes of the market that commands and the clock make: each writes the record and brings the
// index along, in one step, and announces it in the order that subscribers rely on. Under the turn.
internal import Base
internal import Engine
internal import Keyspace
internal import Structures

struct MarketDesk {
    let market: MarketRecords
    let database: Int
    let state: CoordinatorState
    let now: Int64

    init(_ market: MarketRecords, _ database: Int, _ state: CoordinatorState, now: Int64) {
        self.market = market
        self.database = database
        self.state = state
        self.now = now
    }

    func key(_ kind: RecordKind, _ id: [UInt8]) -> [UInt8] {
        let key = TaskRecords.key(kind, id.span, state.prefix)
        return key.span.array
    }

    /// Writes `state.fields` to a record that the caller knows to be a hash or absent.
    func write(
        _ engine: inout Engine, _ kind: RecordKind, _ id: [UInt8], expiry: RecordExpiry = .kept
    ) {
        let key = key(kind, id)
        do throws(CommandError) {
            try engine.setRecord(key.span, in: database, state.fields, expiry: expiry, tells: false)
        } catch {
            preconditionFailure("a record that has an index is a hash")
        }
    }

    /// The live hash of a record.
    func entry(_ engine: inout Engine, _ kind: RecordKind, _ id: [UInt8]) -> Entry? {
        let key = key(kind, id)
        return (try? engine.recordSlot(key.span, in: database))?.entry
    }

    /// Brings the index up to what a record says that was just written.
    func reread(_ engine: inout Engine, _ kind: RecordKind, _ id: [UInt8]) {
        guard let entry = entry(&engine, kind, id) else { return }
        switch kind {
        case .gpu: market.read(id.span, entry, now: now)
        case .provider: market.readProvider(id.span, entry, now: now)
        case .price: market.readPrice(id.span, entry, now: now)
        case .booking: market.readBooking(id.span, entry, now: now)
        case .order: market.readOrder(id.span, entry, now: now)
        default: preconditionFailure("no kind of the market")
        }
    }

    // MARK: GPUs

    /// What the GPU would be if its provider were online.
    func wantedStatus(_ engine: inout Engine, _ gpu: [UInt8]) -> GPUStatus {
        guard let entry = entry(&engine, .gpu, gpu) else { return .offline }
        return GPUStatus(entry.text(MarketField.held, now: now).span)
            ?? GPUStatus(entry.text(MarketField.status, now: now).span) ?? .offline
    }

    /// Gives a GPU the status `wanted`, or keeps it for when its provider comes back.
    func setStatus(_ engine: inout Engine, _ gpu: [UInt8], _ wanted: GPUStatus) {
        guard let number = market.index.findGPU(gpu.span) else { return }
        let provider = market.index.gpu(number).provider
        let imposed = provider >= 0 ? market.index.status(ofProvider: provider).statusOfGPUs : nil
        state.fields.removeAll()
        state.fields.add("status", text: (imposed ?? wanted).name)
        state.fields.add("held", text: imposed == nil ? "" : wanted.name)
        state.fields.add("updated_ms", decimal: now)
        write(&engine, .gpu, gpu)
        market.index.changeGPU(number, now: now) { $0.status = imposed ?? wanted }
    }

    // MARK: bookings

    /// Makes a booking whose window is known to be free. `id` has no record.
    func book(
        _ engine: inout Engine, _ id: [UInt8], gpu: Int32, user: Span<UInt8>, start: Int64, end: Int64, price: Money?
    ) -> [EventType] {
        let item = market.index.gpu(gpu)
        let gpuName = market.index.gpuName(gpu)
        let marketNumber = market.index.market(ofGPU: gpu)
        let isActive = start <= now
        let oldPrice = marketNumber.flatMap { market.index.quote($0, market.rule) }
        state.fields.removeAll()
        state.fields.add("gpu", gpuName.span)
        state.fields.add("user", user)
        let type = market.index.names[item.type]
        let region = market.index.names[item.region]
        state.fields.add("type", type.span)
        state.fields.add("region", region.span)
        if item.provider >= 0 {
            let provider = market.index.names[item.provider]
            state.fields.add("provider", provider.span)
        }
        state.fields.add("status", text: (isActive ? BookingStatus.active : .scheduled).name)
        state.fields.add("start_ms", decimal: start)
        state.fields.add("end_ms", decimal: end == .max ? 0 : end)
        if let text = price?.text { state.fields.add("price", text.span) }
        state.fields.add("created_ms", decimal: now)
        write(&engine, .booking, id)
        reread(&engine, .booking, id)
        var events: [EventType] = []
        if isActive {
            setStatus(&engine, gpuName, .busy)
            events = announceSupply(&engine, gpuName, marketNumber, from: .available, to: .busy, oldPrice)
        } else if let marketNumber {
            events = [announceStatistics(&engine, marketNumber)]
        }
        return events + [announceBooking(&engine, .bookingCreated, id)]
    }

    /// Ends a booking; its record lives for another day, for the day's statistics.
    func close(_ engine: inout Engine, _ number: Int32, _ status: BookingStatus) {
        let item = market.index.booking(number)
        let id = market.index.bookingName(number)
        let gpu = market.index.names[item.gpu]
        state.fields.removeAll()
        state.fields.add("status", text: status.name)
        state.fields.add("closed_ms", decimal: now)
        write(&engine, .booking, id, expiry: .at(now + MarketIndex.recentMilliseconds))
        let marketNumber = market.index.market(item.type, item.region)
        let oldPrice = marketNumber.flatMap { market.index.quote($0, market.rule) }
        reread(&engine, .booking, id)
        if item.status == .active {
            let isFree = market.index.activeBooking(ofGPU: gpu.span) == nil
            if isFree, wantedStatus(&engine, gpu) == .busy { setStatus(&engine, gpu, .available) }
            let isKnown = market.index.findGPU(gpu.span) != nil
            if isKnown { _ = announceSupply(&engine, gpu, marketNumber, from: .busy, to: .available, oldPrice) }
        } else if let marketNumber {
            _ = announceStatistics(&engine, marketNumber)
        }
        _ = announceBooking(&engine, status == .cancelled ? .bookingCancelled : .bookingCompleted, id)
    }

    /// Begins and ends bookings that are due; true when there were some.
    mutating func advanceBookings(_ engine: inout Engine, countMax: Int) -> Bool {
        var count = 0
        while count < countMax, let number = market.index.dueBooking(now: now) {
            count += 1
            let item = market.index.booking(number)
            if item.status == .active || item.end <= now {
                close(&engine, number, .completed)
            } else {
                begin(&engine, number)
            }
        }
        return count > 0
    }

    private func begin(_ engine: inout Engine, _ number: Int32) {
        let item = market.index.booking(number)
        let id = market.index.bookingName(number)
        let gpu = market.index.names[item.gpu]
        let marketNumber = market.index.market(item.type, item.region)
        let oldPrice = marketNumber.flatMap { market.index.quote($0, market.rule) }
        state.fields.removeAll()
        state.fields.add("status", text: BookingStatus.active.name)
        write(&engine, .booking, id)
        reread(&engine, .booking, id)
        guard market.index.findGPU(gpu.span) != nil else { return }
        let old = wantedStatus(&engine, gpu)
        setStatus(&engine, gpu, .busy)
        _ = announceSupply(&engine, gpu, marketNumber, from: old, to: .busy, oldPrice)
    }

    // MARK: prices

    /// Adds the market's price to its history: fog:pricehist:<type>:<region>, a stream.
    func recordPrice(_ engine: inout Engine, _ marketNumber: Int32, _ price: Money, reason: Span<UInt8>) {
        state.fields.removeAll()
        let text = price.text
        state.fields.add("price", text.span)
        if let base = market.index.basePrice(marketNumber)?.text { state.fields.add("base", base.span) }
        state.fields.add("reason", reason)
        let key = historyKey(market.index.typeName(marketNumber), market.index.regionName(marketNumber))
        // A key of another type in its place: then there is no history, and the price is right all the same.
        _ = try? engine.appendToRecordStream(
            key.span, in: database, state.fields, countMax: market.settings.historyCount)
    }

    func historyKey(_ type: [UInt8], _ region: [UInt8]) -> [UInt8] {
        state.prefix + Array("pricehist:".utf8) + type + [UInt8(ascii: ":")] + region
    }

    // MARK: orders

    /// What is left of an order, written down; nothing left closes it as filled, `isCancelled` as cancelled.
    func setOrder(_ engine: inout Engine, _ id: [UInt8], quantity: Int64, isCancelled: Bool = false) {
        let isOpen = quantity > 0 && !isCancelled
        state.fields.removeAll()
        state.fields.add("qty", decimal: quantity)
        state.fields.add("status", text: isOpen ? "open" : isCancelled ? "cancelled" : "filled")
        state.fields.add("updated_ms", decimal: now)
        let seconds = state.settings.defaultTTLSeconds
        let expiry: RecordExpiry = isOpen || seconds == 0 ? .kept : .at(now + Int64(seconds) * 1000)
        write(&engine, .order, id, expiry: expiry)
        reread(&engine, .order, id)
    }
}
