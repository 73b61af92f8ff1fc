// TierStore.swift - what the tiers of one keyspace share: dictionaries by number, the coder, scratch memory, counters
// and the time that compressing may take. One object for the whole keyspace, touched under the engine's turn only.
internal import Base
package import Codec
internal import CLinux
internal import ColdStore
package import Structures

package final class TierStore {
    package var options = TierOptions() {
        didSet { if options.level != oldValue.level { coder = BlockCoder(level: options.level) } }
    }
    /// What classes of keys want otherwise; nil as long as none does.
    package var wishes: TierWishes?
    package var statistics = TierStatistics()
    var coder = BlockCoder()
    var families = KeyFamilies()
    /// Dictionaries by number; number 0 stands for none.
    private(set) var generations: [DictionaryGeneration?] = [nil]
    private var jobs: [TrainingJob] = []
    /// Where blocks are made, and where values are unpacked on their way to another form.
    var block = ByteBuffer()
    var whole = ByteBuffer()
    var budget = CompressionBudget()
    /// The tier on disk; nil where there is none.
    package var cold: ColdTier?
    /// Raw values have more than their share of a full memory (`RawShare.swift`).
    var isRawCrowded = false
    private var transients = Transients()
    private var inspected = Transients()

    init() {}

    /// Bytes of dictionaries.
    package var dictionaryByteCount: Int {
        generations.reduce(0) { $0 + ($1?.dictionary.allocatedByteCount ?? 0) }
    }

    /// Memory that write buffers do not take now and may take at any moment.
    package var reservedByteCount: Int {
        guard let store = cold?.store else { return 0 }
        return max(0, store.writeBufferByteCountMax - store.writeBufferByteCount)
    }

    // MARK: dictionaries

    package var dictionaryCount: Int { generations.count { $0 != nil } }

    /// The dictionaries in use, for INFO: the family's prefix, and whether new values use it.
    package func forEachDictionary(_ body: (DictionaryGeneration, _ prefix: [UInt8], _ isCurrent: Bool) -> Void) {
        for generation in generations {
            guard let generation else { continue }
            let family = families[generation.family]
            body(generation, family.prefix, family.current == generation.number)
        }
    }

    func dictionary(_ number: Int) -> CodecDictionary? {
        number < generations.count ? generations[number]?.dictionary : nil
    }

    func notePacked(_ number: Int, plain: Int, packed: Int) {
        guard number > 0 else { return }
        generations[number]?.plainByteCount += plain
        generations[number]?.packedByteCount += packed
    }

    /// Samples of a family take about this many bytes, within what makes sense.
    package func limitSamples(byteCount: Int) {
        families.sampleByteCountMax = max(
            KeyFamilies.sampleByteCountMin, min(KeyFamilies.sampleByteCountMax, byteCount))
    }

    /// A value on its way to sleep, or one that may be some day.
    func observe(_ value: Span<UInt8>, family: Int) {
        guard families.observe(value, of: family) else { return }
        let samples = families[family].samples
        families[family].samples = CodecSamples()
        families[family].phase = .training
        jobs.append(
            TrainingJob(
                family: family, samples: samples, level: options.level,
                codec: options.choice.codec(memoryIsShort: true), present: dictionary(families[family].current)))
    }

    /// Whether the family of keys without one of their own, or another one, has no dictionary and is not in training.
    package var wantsSamples: Bool { families.wantsSamples }

    /// Trainings that somebody should run in the background.
    package func takeJobs() -> [TrainingJob] {
        defer { jobs = [] }
        return jobs
    }

    /// A training is over; `dictionary` is nil when it brought nothing. `uses` counts the values of a number.
    package func finish(_ job: TrainingJob, _ dictionary: CodecDictionary?, uses: (Int) -> Int) {
        families[job.family].phase = .resting(KeyFamilies.restCount)
        families[job.family].seen = 0
        retire(uses)
        guard let dictionary, let number = freeNumber() else {
            statistics.dictionariesRefused += 1
            return
        }
        statistics.dictionariesAdopted += 1
        generations[number] = DictionaryGeneration(number: number, dictionary: dictionary, family: job.family)
        families[job.family].current = number
        retire(uses)
    }

    private func freeNumber() -> Int? {
        if let hole = generations.indices.dropFirst().first(where: { generations[$0] == nil }) { return hole }
        guard generations.count < 256 else { return nil }
        generations.append(nil)
        return generations.count - 1
    }

    /// The number by which records on disk name dictionary `number`; nil when the store has too many.
    func coldNumber(ofDictionary number: Int) -> UInt16? {
        guard let cold, let generation = generations[number] else { return nil }
        let edition = cold.store.dictionaryEdition
        if generation.coldNumber != 0 && generation.coldEdition == edition { return generation.coldNumber }
        guard let found = cold.store.register(dictionary: generation.dictionary.bytes) else { return nil }
        generations[number]?.coldNumber = found
        generations[number]?.coldEdition = edition
        return found
    }

    /// A dictionary that an earlier process has left on disk. Its number here; 0 when it is not one.
    package func adopt(dictionary bytes: [UInt8]) -> Int {
        guard let dictionary = CodecDictionary(bytes.span, level: options.level), let number = freeNumber() else {
            return 0
        }
        generations[number] = DictionaryGeneration(number: number, dictionary: dictionary, family: 0)
        return number
    }

    /// Drops dictionaries that no family uses and no value needs.
    package func retire(_ uses: (Int) -> Int) {
        for number in generations.indices.dropFirst() {
            guard let generation = generations[number], families[generation.family].current != number,
                uses(number) == 0
            else { continue }
            generations[number] = nil
        }
    }

    // MARK: packing

    /// Compresses `bytes` into `block`. False when that takes more than `limit` bytes.
    func pack(_ bytes: Span<UInt8>, _ codec: BlockCodec, _ dictionary: CodecDictionary?, limit: Int) -> Bool {
        block.truncate(to: 0)
        return coder.compress(bytes, codec, dictionary, limit: limit, to: &block)
    }

    /// Unpacks the value of `sleeping` into `whole`.
    func unpackWhole(_ sleeping: SleepingValue) -> Bool {
        whole.truncate(to: 0)
        whole.reserve(sleeping.wholeByteCount)
        guard unsafe unpack(sleeping, to: whole.pointer) else { return false }
        whole.commit(sleeping.wholeByteCount)
        return true
    }

    /// As `pack`, for what `unpackWhole` left.
    func packWhole(_ codec: BlockCodec, _ dictionary: CodecDictionary?, limit: Int) -> Bool {
        var taken = ByteBuffer()
        Swift.swap(&taken, &whole)
        let fits = pack(taken.span, codec, dictionary, limit: limit)
        Swift.swap(&taken, &whole)
        return fits
    }

    // MARK: reading

    /// Writes the value of `sleeping` to `target`, which has room for `wholeByteCount` bytes.
    /// A cold one is read from disk, unless its stored form is at hand.
    @unsafe func unpack(
        _ sleeping: SleepingValue, stored: Span<UInt8>? = nil, to target: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        let dictionary = dictionary(sleeping.dictionary)
        if sleeping.dictionary != 0 && dictionary == nil { return false }
        if let stored {
            return unsafe coder.decompress(
                stored, sleeping.codec, dictionary, to: target, count: sleeping.wholeByteCount)
        }
        if sleeping.entry.tier == .cold {
            return cold?.withPayload(sleeping) { payload in
                unsafe coder.decompress(
                    payload, sleeping.codec, dictionary, to: target, count: sleeping.wholeByteCount)
            } ?? false
        }
        let isWhole = unsafe coder.decompress(
            sleeping.payload, sleeping.codec, dictionary, to: target, count: sleeping.wholeByteCount)
        if !isWhole { statistics.corrupt += 1 }
        return isWhole
    }

    /// The entry itself, or, when its value is asleep, a readable image of it: valid until the next call, not in any
    /// table, and nobody's to change. Nil when the value cannot be read any more. For whoever walks over many keys.
    package func awake(_ entry: Entry) -> Entry? {
        guard _slowPath(entry.isAsleep) else { return entry }
        inspected.forget()
        return inspected.make(SleepingValue(entry), self)
    }

    /// The same for a cold value whose stored form is at hand.
    func awake(_ entry: Entry, stored: Span<UInt8>) -> Entry? {
        inspected.forget()
        return inspected.make(SleepingValue(entry), self, stored: stored)
    }

    /// As `awake`, for a command that reads: the image is valid until the command whose `stamp` this is has ended.
    func image(_ sleeping: SleepingValue, stamp: UInt64) -> Entry? {
        transients.begin(stamp)
        return transients.make(sleeping, self)
    }

    /// Images that one command may hold in bytes before its values are woken instead.
    static let imagesByteCountMax = 8 << 20

    func imagesAreMany(_ stamp: UInt64) -> Bool {
        transients.begin(stamp)
        return transients.byteCount > TierStore.imagesByteCountMax
    }

    /// Gives the memory of images back; called by the clock.
    package func forgetImages() {
        if transients.byteCount > 256 << 10 { transients.forget() }
        if inspected.byteCount > 256 << 10 { inspected.forget() }
    }
}

/// How much time compressing may take: half of each millisecond, so that no turn is held for longer by it.
struct CompressionBudget {
    private let usesCounter = Ticks.usesCounter
    private let limit: UInt64
    private var millisecond: Int64 = -1
    private var spent: UInt64 = 0

    init(microsecondsPerMillisecond: Double = 500) {
        limit = UInt64(microsecondsPerMillisecond * Ticks.perMicrosecond)
    }

    func start() -> UInt64 { Ticks.now(usesCounter: usesCounter) }

    mutating func isSpent(at now: Int64) -> Bool {
        if now != millisecond {
            millisecond = now
            spent = 0
        }
        return spent >= limit
    }

    mutating func charge(since start: UInt64) { spent &+= Ticks.now(usesCounter: usesCounter) &- start }
}

/// Entries that lie in no table: readable images of values that are asleep.
@safe private struct Transients: ~Copyable {
    /// Addresses of their memory.
    private var lent: [UInt] = []
    private(set) var byteCount = 0
    private var stamp: UInt64 = 0

    init() {}

    deinit { for memory in lent { unsafe free(UnsafeMutableRawPointer(bitPattern: memory)) } }

    /// Images of an earlier command are over.
    mutating func begin(_ stamp: UInt64) {
        if stamp != self.stamp { forget() }
        self.stamp = stamp
    }

    mutating func forget() {
        for memory in lent { unsafe free(UnsafeMutableRawPointer(bitPattern: memory)) }
        lent.removeAll(keepingCapacity: true)
        byteCount = 0
    }

    mutating func make(
        _ sleeping: SleepingValue, _ store: TierStore, stored: Span<UInt8>? = nil
    ) -> Entry? {
        let source = sleeping.entry
        let count = sleeping.wholeByteCount
        let size =
            Entry.byteCount(
                keyByteCount: source.keyByteCount, valueByteCount: count, hasExpiry: source.hasExpiry)
            + (source.hasLabel ? Entry.labelByteCount : 0)
        guard let raw = unsafe malloc(size) else { outOfMemory(byteCount: size) }
        lent.append(UInt(bitPattern: raw))
        byteCount += size
        let image = unsafe Entry(address: raw.assumingMemoryBound(to: UInt8.self))
        // A long string that lay outside its entry lies in its image, which nobody grows.
        let isLong = source.isString && sleeping.originalEncoding == StringEncoding.external.rawValue
        image.initialize(
            type: source.type, encoding: isLong ? StringEncoding.raw.rawValue : sleeping.originalEncoding,
            hasExpiry: source.hasExpiry, keyByteCount: source.keyByteCount, valueByteCount: count, epoch: source.epoch)
        if source.hasExpiry { image.expiryMilliseconds = source.expiryMilliseconds }
        unsafe source.key.copyBytes(to: image.keyAddress)
        image.takeLabel(of: source)
        image.frequency = source.frequency
        return unsafe store.unpack(sleeping, stored: stored, to: image.valueAddress) ? image : nil
    }
}
