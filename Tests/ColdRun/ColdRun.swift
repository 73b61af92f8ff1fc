// ColdRun.swift - the measurements of `cold-run`; one thread plays the owner.
import Base
import CLinux
import ColdStore

enum ColdRun {
    private static let wholeByteCount = 512
    private static let payloadByteCount = 142
    private static var now: Int64 { Clock().nowMilliseconds }
    private static var nanoseconds: Int64 { Clock().monotonicNanoseconds }

    static func run() {
        let arguments = CommandLine.arguments
        guard arguments.count >= 2 else { return write("cold-run DIRECTORY [records] [ring|threads]") }
        let count = arguments.count > 2 ? Int(arguments[2]) ?? 1_000_000 : 1_000_000
        var options = ColdOptions(directory: arguments[1])
        options.byteCountMax = 8 << 30
        options.bytesPerSecond = 0
        options.persists = true
        if arguments.count > 3 { options.reading = arguments[3] == "threads" ? .threads : .ring }
        do throws(SystemError) {
            try measure(options, count)
        } catch {
            write("\(error)")
        }
    }

    private static func write(_ text: String) {
        var line = ByteBuffer()
        line.append(text + "\n")
        unsafe line.span.withUnsafeBufferPointer { unsafe _ = CLinux.write(1, $0.baseAddress, $0.count) }
    }

    private static func key(_ index: Int) -> [UInt8] { Array("user:profile:\(index)".utf8) }

    /// Bytes by which a value can be told from all others.
    private static func payload(_ index: Int) -> [UInt8] {
        var random = RandomGenerator(seed: UInt64(index))
        var bytes: [UInt8] = []
        while bytes.count < payloadByteCount {
            let word = random.next()
            for shift in 0..<8 where bytes.count < payloadByteCount {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * shift)))
            }
        }
        return bytes
    }

    private static func measure(_ options: ColdOptions, _ count: Int) throws(SystemError) {
        var store = try ColdStore(options)
        _ = try store.recover(now: now, dictionary: { _, _ in }, found: { _, _, _ in false })
        write("reader: \(store.readerName)")
        var addresses = fill(store, count)
        settle(store)
        let alive = addresses.count { $0 != nil }
        write("disk bytes / value bytes: \(share(store.diskByteCount, alive * wholeByteCount))")
        for segment in ["cold", "warm"] { read(store, addresses, segment) }
        // A crash: nothing is said at the end.
        store.commit()
        store.abandon()
        (store, addresses) = try restart(options, count, "crash")
        let isClean = store.close { add in
            for address in addresses {
                if let address { add(address, 0, 0) }
            }
        }
        write("clean end: \(isClean)")
        (store, addresses) = try restart(options, count, "clean end")
        read(store, addresses, "restarted")
        store.removeAll()
        store.abandon()
    }

    private static func share(_ part: Int, _ whole: Int) -> String {
        let thousandths = whole > 0 ? part * 1000 / whole : 0
        return "\(thousandths / 1000).\(String(1000 + thousandths % 1000).dropFirst())"
    }

    private static func fill(_ store: ColdStore, _ count: Int) -> [ColdAddress?] {
        var addresses: [ColdAddress?] = []
        var head = ColdHead()
        head.codec = 2
        head.wholeByteCount = wholeByteCount
        var longest: Int64 = 0
        var refused = 0
        let start = nanoseconds
        for index in 0..<count {
            let (key, payload) = (key(index), payload(index))
            let began = nanoseconds
            var address = store.put(head, key: key.span, payload: payload.span, now: now)
            var tries = 0
            while address == nil && store.failure == nil && tries < 5000 {
                tick(store)
                Clock.sleep(nanoseconds: 100_000)
                tries += 1
                address = store.put(head, key: key.span, payload: payload.span, now: now)
            }
            if tries == 0 { longest = max(longest, nanoseconds - began) }
            if address == nil { refused += 1 }
            addresses.append(address)
            if index % 1000 == 0 { tick(store) }
        }
        let elapsed = max(1, nanoseconds - start)
        write("puts/s: \(count * 1_000_000_000 / Int(elapsed)); longest put: \(longest / 1000) us; refused: \(refused)")
        if let failure = store.failure { write("the disk said: \(failure)") }
        return addresses
    }

    private static func tick(_ store: ColdStore) {
        store.poll { _, _, _ in }
        store.tidy(now: now, judge: { _, _, _ in .keep }, moved: { _, _, _, _ in })
    }

    private static func settle(_ store: ColdStore) {
        store.submitAll()
        while !store.isIdle && store.failure == nil {
            tick(store)
            Clock.sleep(nanoseconds: 1_000_000)
        }
    }

    /// 20,000 reads, 16 at a time, as many clients would; the time from asking to having.
    private static func read(_ store: ColdStore, _ addresses: [ColdAddress?], _ name: String) {
        var random = RandomGenerator(seed: 1)
        var times = Histogram()
        var wrong = 0
        var missing = 0
        var asked = 0
        var open: [UInt64: (index: Int, since: Int64)] = [:]
        let before = store.statistics
        let start = nanoseconds
        while asked < 20_000 || !open.isEmpty {
            while open.count < 16 && asked < 20_000 {
                let index = random.below(addresses.count)
                let token = UInt64(asked)
                asked += 1
                guard let address = addresses[index] else { continue }
                let since = nanoseconds
                let key = key(index)
                let fetch = store.fetch(address, key: key.span, token: token) { _, bytes in
                    if !bytes.equals(payload(index).span) { wrong += 1 }
                }
                switch fetch {
                case .ready: times.record(nanoseconds: nanoseconds - since)
                case .missing: missing += 1
                case .pending: open[token] = (index, since)
                }
            }
            store.flush()
            var wait = pollfd(fd: store.descriptor, events: Int16(POLLIN), revents: 0)
            if !open.isEmpty { unsafe _ = CLinux.poll(&wait, 1, 10) }
            store.poll { token, head, bytes in
                guard let read = open.removeValue(forKey: token) else { return }
                times.record(nanoseconds: nanoseconds - read.since)
                if head == nil { missing += 1 } else if !bytes.equals(payload(read.index).span) { wrong += 1 }
            }
        }
        let elapsed = max(1, nanoseconds - start)
        let after = store.statistics
        write(
            "reads (\(name)): \(20_000 * 1_000_000_000 / Int(elapsed))/s, p50 \(times.percentile(50) / 1000) us, p99 "
                + "\(times.percentile(99) / 1000) us, from disk \(after.readsFromDisk - before.readsFromDisk), at once "
                + "\(after.readsAtOnce - before.readsAtOnce), from buffers "
                + "\(after.readsFromBuffer - before.readsFromBuffer), wrong \(wrong), missing \(missing)")
    }

    private static func restart(
        _ options: ColdOptions, _ count: Int, _ name: String
    ) throws(SystemError) -> (ColdStore, [ColdAddress?]) {
        var addresses = [ColdAddress?](repeating: nil, count: count)
        let start = nanoseconds
        let store = try ColdStore(options)
        let how = try store.recover(now: now, dictionary: { _, _ in }) { _, key, address in
            var number = 0
            for index in 13..<key.count { number = number * 10 + Int(key[index]) - 48 }
            guard number < count else { return false }
            addresses[number] = address
            return true
        }
        let milliseconds = (nanoseconds - start) / 1_000_000
        write("start after \(name) (\(how)): \(milliseconds) ms, \(store.statistics.recordsRecovered) records")
        return (store, addresses)
    }
}
