// WarmFile.swift - filling the cache from a file of keys and values: CSV with the columns key, value and ttl (seconds),
// or JSON lines with these members. The file is read and taken apart on the thread that calls, which is none of the
// loops' (the pool's for FOG.WARM FILE, the one that starts the server for `fog-warm-file`); the turn is taken for a
// hundred keys at a time. Keys that are there already stay as they are.
internal import Base
package import Engine
internal import Keyspace
internal import Reactor
internal import Structures

package struct WarmRequest: Sendable {
    package let path: String
    package let format: RowFormat
    package let database: Int
    /// The session that waits for the outcome; 0 for none.
    package let session: UInt64

    package init(path: String, format: RowFormat, database: Int, session: UInt64) {
        self.path = path
        self.format = format
        self.database = database
        self.session = session
    }

    /// The file of `fog-warm-file`, beside the dataset unless its path says otherwise.
    package init(start path: String, directory: String) {
        let format: RowFormat = path.hasSuffix(".csv") || path.hasSuffix(".CSV") ? .csv : .jsonLines
        self.init(path: path.hasPrefix("/") ? path : directory + "/" + path, format: format, database: 0, session: 0)
    }
}

package struct WarmOutcome: Sendable {
    /// Keys that were set, and those that were there.
    package var loaded = 0
    package var known = 0
    /// Why it went no further; nil when all went well.
    package var failure: String?
}

package enum WarmFile {
    private static let chunkByteCount = 256 << 10
    /// A row is at most so long.
    private static let rowByteCountMax = 64 << 20
    /// Keys set in one turn.
    private static let batchCount = 100

    private struct Row {
        var key: [UInt8]
        var value: [UInt8]
        /// Nil: `fog-default-ttl`; 0: for ever.
        var seconds: Int64?
    }

    /// Loads the file; `withEngine` runs its argument under the turn.
    package static func load(
        _ request: WarmRequest, withEngine: (_ body: (inout Engine) -> Void) -> Void
    ) -> WarmOutcome {
        var outcome = WarmOutcome()
        var reader = RowReader(request.format)
        var text = ByteBuffer()
        var offset = 0
        var batch: [Row] = []
        do throws(SystemError) {
            let file = try DiskFile(request.path, .read)
            let byteCount = try file.byteCount
            while offset < byteCount, outcome.failure == nil {
                let before = text.count
                try file.read(at: offset, byteCount: min(chunkByteCount, byteCount - offset), into: &text)
                if text.count == before { break }
                offset += text.count - before
                take(&text, &reader, isLast: offset >= byteCount, &batch, &outcome) { rows, outcome in
                    withEngine { engine in place(rows, request.database, &engine, &outcome) }
                }
                if text.count > rowByteCountMax { outcome.failure = "a row has more than 64 MB" }
            }
        } catch {
            outcome.failure = error.description
        }
        return outcome
    }

    /// Takes whole rows out of `text` and hands them over in batches.
    private static func take(
        _ text: inout ByteBuffer, _ reader: inout RowReader, isLast: Bool, _ batch: inout [Row],
        _ outcome: inout WarmOutcome, _ hand: ([Row], inout WarmOutcome) -> Void
    ) {
        var start = 0
        do throws(RowError) {
            while let (fields, byteCount) = try reader.next(
                text.span.extracting(start..<text.count), isLast: isLast)
            {
                start += byteCount
                if !fields.isEmpty { batch.append(try row(fields, reader.row)) }
                if batch.count < batchCount { continue }
                hand(batch, &outcome)
                batch = []
                if outcome.failure != nil { return }
            }
        } catch {
            outcome.failure = "row \(error.row): \(error.text)"
        }
        if !batch.isEmpty { hand(batch, &outcome) }
        batch = []
        text.removeFirst(start)
    }

    private static func row(_ fields: [RowReader.Field], _ number: Int) throws(RowError) -> Row {
        var row = Row(key: [], value: [])
        for field in fields {
            let (name, value) = field
            if name.span.equals("key") {
                row.key = value
            } else if name.span.equals("value") {
                row.value = value
            } else if name.span.equals("ttl") {
                guard let seconds = IntegerText.parse(value.span), seconds >= 0, seconds <= Int64(Int32.max) else {
                    throw RowError(row: number, text: "ttl is a number of seconds, 0 for ever")
                }
                row.seconds = seconds
            }
        }
        if row.key.isEmpty { throw RowError(row: number, text: "it has no key") }
        return row
    }

    private static func place(
        _ rows: [Row], _ database: Int, _ engine: inout Engine, _ outcome: inout WarmOutcome
    ) {
        engine.keyspace.now = engine.clock.nowMilliseconds
        if !engine.hasRoom() {
            outcome.failure = "maxmemory is reached"
            return
        }
        let standard = Int64(engine.settings.fog.defaultTTLSeconds)
        for row in rows {
            let hash = KeyHash.hash(row.key.span, seed: KeyHash.seed)
            guard engine.keyspace.find(row.key.span, hash: hash, in: database) == nil else {
                outcome.known += 1
                continue
            }
            let seconds = row.seconds ?? standard
            let expiry = seconds == 0 ? nil : engine.keyspace.now + seconds * 1000
            engine.setText(row.key.span, row.value.span, in: database, expiry: expiry)
            outcome.loaded += 1
        }
        engine.finishOutsideOfCommand()
    }
}

extension Engine {
    /// FOG.WARM FILE's file was loaded, or could not be: its client gets the outcome when it looks again.
    package mutating func finishWarming(_ request: WarmRequest, _ outcome: WarmOutcome) {
        guard let state = coordination as? CoordinatorState else { return }
        state.cache.warmOutcomes[request.session] = (outcome, keyspace.now)
    }
}
