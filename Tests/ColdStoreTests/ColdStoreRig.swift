// ColdStoreRig.swift - a store in a directory of its own, with the plainest possible keeper of keys beside it: a
// dictionary of what every key's value is, and one of where the store has put it.
import Foundation
import Reactor
import Testing

@testable import Base
@testable import ColdStore

/// The readers that a test runs with.
let readings: [ColdOptions.Reading] = [.ring, .threads]

final class ColdStoreRig {
    struct Value: Equatable {
        var bytes: [UInt8]
        var expiry: Int64
        var address: ColdAddress
    }

    let directory: String
    var store: ColdStore
    var values: [String: Value] = [:]
    var now: Int64 = 1_000_000
    /// What poll delivered: by token, nil for missing.
    var delivered: [UInt64: [UInt8]?] = [:]
    /// Verdict on living records.
    var keeps: (String) -> Bool = { _ in true }
    var change: (inout ColdOptions) -> Void

    init(
        _ reading: ColdOptions.Reading = .automatic, _ change: @escaping (inout ColdOptions) -> Void = { _ in }
    ) throws {
        directory = NSTemporaryDirectory() + "cold-\(UUID().uuidString)"
        self.change = { options in
            options.reading = reading
            options.bytesPerSecond = 0
            change(&options)
        }
        store = try ColdStoreRig.open(directory, self.change)
        _ = try recover()
    }

    deinit {
        store.abandon()
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static func open(_ directory: String, _ change: (inout ColdOptions) -> Void) throws -> ColdStore {
        var options = ColdOptions(directory: directory)
        change(&options)
        return try ColdStore(options)
    }

    /// Fills `values` from what the store finds.
    @discardableResult
    func recover() throws -> ColdStore.Recovery {
        values = [:]
        let store = store
        return try store.recover(now: now, dictionary: { _, _ in }) { head, key, address in
            if let older = self.values[key.text] { store.remove(older.address) }
            self.values[key.text] = Value(bytes: [], expiry: head.expiryMilliseconds, address: address)
            return true
        }
    }

    /// Another process opens the directory.
    @discardableResult
    func reopen() throws -> ColdStore.Recovery {
        store = try ColdStoreRig.open(directory, change)
        return try recover()
    }

    @discardableResult
    func put(_ key: String, _ bytes: [UInt8], expiry: Int64 = 0, dictionary: UInt16 = 0) -> Bool {
        var head = ColdHead()
        head.type = 3
        head.codec = 2
        head.encoding = 5
        head.version = UInt16(truncatingIfNeeded: bytes.count)
        head.wholeByteCount = bytes.count * 2
        head.expiryMilliseconds = expiry
        head.dictionary = dictionary
        if let old = values.removeValue(forKey: key) { store.remove(old.address) }
        let address = store.put(head, key: Array(key.utf8).span, payload: bytes.span, now: now)
        guard let address else { return false }
        values[key] = Value(bytes: bytes, expiry: expiry, address: address)
        return true
    }

    func remove(_ key: String) {
        if let old = values.removeValue(forKey: key) { store.remove(old.address) }
    }

    /// The value by whatever way it comes; nil when it is missing.
    func fetch(_ key: String) -> [UInt8]? {
        guard let value = values[key] else { return nil }
        var result: [UInt8]?
        let start = store.fetch(value.address, key: Array(key.utf8).span, token: 1) { _, payload in
            result = payload.array
        }
        guard case .pending = start else { return result }
        delivered[1] = nil
        store.flush()
        wait { self.delivered[1] != nil }
        return delivered[1] ?? nil
    }

    func poll() {
        store.poll { token, head, payload in self.delivered[token] = .some(head == nil ? nil : payload.array) }
    }

    func tidy() {
        let store = store
        store.tidy(
            now: now,
            judge: { _, key, address in
                guard self.values[key.text]?.address == address else { return .dead }
                guard self.keeps(key.text) else {
                    self.values[key.text] = nil
                    return .drop
                }
                return .keep
            },
            moved: { _, key, from, to in
                #expect(self.values[key.text]?.address == from)
                self.values[key.text]?.address = to
            })
    }

    /// Polls until `condition` holds, ten seconds at most.
    func wait(sourceLocation: SourceLocation = #_sourceLocation, _ condition: () -> Bool) {
        let end = Clock().monotonicNanoseconds + 10_000_000_000
        while !condition() {
            poll()
            tidy()
            guard Clock().monotonicNanoseconds < end else {
                Issue.record("waited in vain", sourceLocation: sourceLocation)
                return
            }
            Clock.sleep(nanoseconds: 200_000)
        }
    }

    /// Everything is on disk.
    func settle() {
        store.submitAll()
        wait { self.store.isIdle }
    }

    /// Takes all segments out of the page cache, so that reads take time.
    func dropCache() {
        settle()
        for segment in store.segments {
            try? segment?.file.sync()
            segment?.file.leaveCache()
        }
    }

    func close() -> Bool {
        store.close { add in
            for value in self.values.values { add(value.address, 0, value.expiry) }
        }
    }

    /// The sums that have to agree.
    func checkAccount(sourceLocation: SourceLocation = #_sourceLocation) {
        let bytes = values.values.reduce(0) { $0 + $1.address.paddedByteCount }
        #expect(store.liveByteCount == bytes, sourceLocation: sourceLocation)
        #expect(store.liveCount == values.count, sourceLocation: sourceLocation)
    }
}

func bytes(_ count: Int, _ seed: Int) -> [UInt8] {
    var generator = RandomGenerator(seed: UInt64(seed))
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
}
