// Journal.swift - the record of what changed, in the order it changed: what the append only file keeps and what
// replicas follow. After every command that changed something, `Engine.journalCommand` writes its deterministic form
// here, before anybody else hears of the change. That form is the command as its client sent it, unless the handler
// said otherwise through `call.propagate` (Call+Propagate.swift, where handlers' authors look).
//
// What belongs together is one unit: the commands of a transaction or a script, the several commands that stand for
// one, keys that died under a command's hands (they come first, as DEL or UNLINK) and the command itself. A unit of
// several commands is written between MULTI and EXEC, of one without. It is written when the outermost command ends,
// so a stream never holds half a unit. While nobody reads the journal it costs dispatch one branch.
// Engine's turn only.
package import Base
internal import RESP

/// Who gets a recorded command.
package struct JournalReaders: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let file = JournalReaders(rawValue: 1 << 0)
    package static let replicas = JournalReaders(rawValue: 1 << 1)
    package static let all: JournalReaders = [.file, .replicas]
}

package struct Journal: ~Copyable {
    /// What becomes of the running command's own words.
    enum Form {
        /// Recorded when the command changed something.
        case asSent
        /// Recorded in any case.
        case always
        /// Others were recorded in their place, or nothing.
        case replaced
    }

    /// One command of the unit.
    private struct Operation {
        let start: Int
        let end: Int
        let wordCount: Int
        let database: Int
        let readers: JournalReaders
        /// For Fog alone: written as a remark, which stock servers pass over.
        let isRemark: Bool
    }

    /// Whether anybody reads. Dispatch and `propagate` look at this and nothing else.
    package private(set) var isOn = false
    package private(set) var file = JournalStream()
    package private(set) var replicas = JournalStream()
    /// Whether units carry the time (`aof-timestamp-enabled`); for the file only.
    var annotatesTime = false

    var form = Form.asSent
    /// `Engine.changeCount` as of the last command: a command that leaves it alone changed nothing.
    var seenChangeCount = 0
    /// The keyspace's removals stand in the unit already; effects must not record them again.
    var hasRemovals = false
    /// Who may get what is added: a script narrows it by redis.set_repl.
    var allowed = JournalReaders.all
    private var operations: [Operation] = []
    private var words = JournalWords()
    /// Where the running command's own operations begin.
    private var commandStart = 0

    init() {}

    mutating func turn(_ reader: JournalReaders, on isOn: Bool) {
        if reader.contains(.file) { file.turn(on: isOn) }
        if reader.contains(.replicas) { replicas.turn(on: isOn) }
        self.isOn = file.isOn || replicas.isOn
        form = .asSent
    }

    // MARK: the unit

    /// True while the running command would be the only one of its unit.
    @inline(__always)
    var isUnitEmpty: Bool { operations.isEmpty }

    /// Adds a command whose words `body` spells.
    mutating func add(
        database: Int, readers: JournalReaders = .all, beforeCommand: Bool = false, isRemark: Bool = false,
        _ body: (inout JournalWords) -> Void
    ) {
        let start = words.bytes.count
        body(&words)
        let operation = Operation(
            start: start, end: words.bytes.count, wordCount: words.takeCount(), database: database,
            readers: readers.intersection(allowed), isRemark: isRemark)
        if beforeCommand {
            operations.insert(operation, at: commandStart)
            commandStart += 1
        } else {
            operations.append(operation)
        }
    }

    /// The running command is over; what follows belongs to the next one.
    mutating func endCommand() {
        form = .asSent
        commandStart = operations.count
    }

    /// The unit is over: it goes to the readers as one piece.
    mutating func endUnit(second: Int64) {
        endCommand()
        guard !operations.isEmpty else { return }
        write(.file, second: second)
        write(.replicas, second: second)
        operations.removeAll(keepingCapacity: operations.count <= Journal.keptOperationCount)
        words.removeAll()
        commandStart = 0
    }

    private static let keptOperationCount = 1024

    private mutating func write(_ reader: JournalReaders, second: Int64) {
        guard reader == .file ? file.isOn : replicas.isOn else { return }
        var stream = JournalStream()
        swap(&stream, reader)
        var first: Operation?
        var count = 0
        for operation in operations where operation.readers.contains(reader) {
            if first == nil { first = operation }
            count += 1
        }
        if let first {
            if annotatesTime && reader == .file { stream.annotate(second: second) }
            if count > 1 {
                // Selected outside the brackets, as Redis does.
                stream.select(first.database)
                stream.append(bracket: "*1\r\n$5\r\nMULTI\r\n")
            }
            for operation in operations where operation.readers.contains(reader) {
                let text = words.bytes.span.extracting(operation.start..<operation.end)
                if operation.isRemark {
                    stream.append(remark: text, count: operation.wordCount, database: operation.database)
                } else {
                    stream.append(words: text, count: operation.wordCount, database: operation.database)
                }
            }
            if count > 1 { stream.append(bracket: "*1\r\n$4\r\nEXEC\r\n") }
        }
        swap(&stream, reader)
    }

    private mutating func swap(_ stream: inout JournalStream, _ reader: JournalReaders) {
        if reader == .file { Swift.swap(&stream, &file) } else { Swift.swap(&stream, &replicas) }
    }

    /// A unit of one command, spelled by `arguments`: the usual case, without a detour.
    mutating func writeUnit(_ arguments: borrowing Arguments, database: Int, second: Int64) {
        if file.isOn {
            if annotatesTime { file.annotate(second: second) }
            file.append(arguments, database: database)
        }
        if replicas.isOn { replicas.append(arguments, database: database) }
    }

    /// What the file's writer has not taken yet.
    mutating func takeFile(_ body: (inout ByteBuffer) -> Void) { file.take(body) }

    /// What the replicas' feeder has not taken yet.
    package mutating func takeReplicas(_ body: (inout ByteBuffer) -> Void) { replicas.take(body) }

    /// A new file begins here.
    mutating func restartFile() { file.restart() }

    /// New replicas begin here: the next command says which database it means.
    package mutating func restartReplicas() { replicas.restart() }
}
