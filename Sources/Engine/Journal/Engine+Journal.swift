// Engine+Journal.swift - when the journal is written: by dispatch at the end of every command, before WATCH, tracking,
// notifications and waiters, and by the clock for keys that die on their own. Under the turn.
internal import Base
internal import Keyspace
internal import RESP

extension Engine {
    /// Switches a reader of the journal on or off.
    package mutating func setJournal(_ reader: JournalReaders, isOn: Bool) {
        journal.turn(reader, on: isOn)
        journal.seenChangeCount = changeCount
        armEffects()
    }

    /// The command has run: records it if it changed something, and ends the unit if it is not inside another command.
    @inline(never)
    mutating func journalCommand(_ reference: SessionReference, _ arguments: borrowing Arguments) {
        let isChange = changeCount != journal.seenChangeCount
        journal.seenChangeCount = changeCount
        if !keyspace.removals.isEmpty { addRemovals(beforeCommand: true) }
        let isRecorded = journal.form == .always || (journal.form == .asSent && isChange)
        // A slow script's unit stays open while other clients' harmless commands run beside it.
        let isOutermost = context == .client && !gates.contains(.busy)
        if _fastPath(journal.isUnitEmpty && isOutermost) {
            if isRecorded {
                journal.writeUnit(
                    arguments, database: reference.session.database, second: keyspace.now / 1000)
            }
            return journal.endCommand()
        }
        if isRecorded { addAsSent(reference, arguments) }
        if isOutermost {
            journal.endUnit(second: keyspace.now / 1000)
        } else {
            journal.endCommand()
        }
    }

    private mutating func addAsSent(_ reference: SessionReference, _ arguments: borrowing Arguments) {
        journal.add(database: reference.session.database) { words in words.add(arguments) }
    }

    /// Keys that died while a command ran, as commands of its unit.
    private mutating func addRemovals(beforeCommand: Bool) {
        let expiryWord: StaticString = settings.lazyfreeLazyExpire ? "UNLINK" : "DEL"
        let evictionWord: StaticString = settings.lazyfreeLazyEviction ? "UNLINK" : "DEL"
        keyspace.removals.forEach { reason, database, key in
            journal.add(database: database, beforeCommand: beforeCommand) { words in
                words.add(reason == .evicted ? evictionWord : expiryWord)
                words.add(key)
            }
        }
        journal.hasRemovals = true
    }

    /// Keys that died outside of any command: a unit each. `applyEffects` calls this for removals that no command took.
    mutating func journalRemovals() {
        defer { journal.hasRemovals = false }
        guard journal.isOn, !journal.hasRemovals else { return }
        let expiryWord: StaticString = settings.lazyfreeLazyExpire ? "UNLINK" : "DEL"
        let evictionWord: StaticString = settings.lazyfreeLazyEviction ? "UNLINK" : "DEL"
        let second = keyspace.now / 1000
        keyspace.removals.forEach { reason, database, key in
            journal.add(database: database) { words in
                words.add(reason == .evicted ? evictionWord : expiryWord)
                words.add(key)
            }
            if context == .client { journal.endUnit(second: second) }
        }
        journal.endCommand()
    }

    /// Hands what the journal holds for the file to its writer. At the end of every turn that may have changed data.
    @inline(__always)
    package mutating func flushJournal() {
        if _slowPath(!journal.file.bytes.isEmpty) { handOverJournal() }
    }

    @inline(never)
    private mutating func handOverJournal() {
        journal.takeFile { hooks.writeJournal(&$0) }
    }

    /// What the replicas' feeder has not taken yet.
    package mutating func takeJournal(_ body: ([UInt8]) -> Void) {
        journal.takeReplicas { body($0.span.array) }
    }

    /// The next command begins a new file.
    package mutating func restartJournalFile() { journal.restartFile() }
}
