// Database+Labels.swift - labels of keys (`Structures/Entry+Label.swift`): giving one, carrying it along when a value
// changes its form, and letting it go when the key is removed or its value is replaced by a command that knows nothing
// of labels (SET, RENAME over it, RESTORE). Plain keys pass none of this. The tags themselves are known to `TagTable`,
// which all databases share; each counts its own keys per cohort, so that FLUSHDB and SWAPDB stay O(1) in keys.
// Engine's turn only.
internal import Base
internal import ColdStore
package import Structures

extension Database {
    // MARK: giving and taking

    /// Gives the slot's key a label in the place of the one it has. Moves the entry where there is no room for it.
    package mutating func setLabel(_ slot: EntryTable.Slot, _ label: EntryLabel) {
        let old = slot.entry
        willChange(old)
        retain(label.cohort)
        if old.hasLabel {
            release(old.labelCohort)
            old.label = label
            return
        }
        let fresh = labelled(old, label)
        table.replace(slot, with: fresh)
    }

    /// The value of the slot's key is about to be replaced by another: what was said of the old one is not true of it.
    @inline(__always)
    package mutating func willReplace(_ entry: Entry) {
        if _slowPath(entry.hasLabel) { forgetLabel(entry) }
    }

    @inline(never)
    private mutating func forgetLabel(_ entry: Entry) {
        willChange(entry)
        release(entry.labelCohort)
        entry.label = EntryLabel()
    }

    /// The value of `old` lives on in `fresh`, which gets its label too. Returns what takes its place.
    @inline(__always)
    mutating func carryLabel(of old: Entry, to fresh: Entry) -> Entry {
        _slowPath(old.hasLabel) ? carry(old, fresh) : fresh
    }

    @inline(never)
    private mutating func carry(_ old: Entry, _ fresh: Entry) -> Entry {
        let label = old.label
        return label.isEmpty ? fresh : labelled(fresh, label)
    }

    /// `plain` with a label, in another place; the caller counts it.
    private mutating func labelled(_ plain: Entry, _ label: EntryLabel) -> Entry {
        let entry = arena.allocate(plain.byteCount + Entry.labelByteCount)
        entry.initialize(copying: plain, label: label)
        arena.free(plain)
        return entry
    }

    /// A copy of `source` was made in this database: its label counts here too.
    mutating func copyLabel(of source: Entry, to fresh: Entry) -> Entry {
        guard source.hasLabel else { return fresh }
        retain(source.labelCohort)
        return carry(source, fresh)
    }

    // MARK: counting

    mutating func retain(_ cohort: TagTable.Number) {
        guard cohort != 0 else { return }
        let index = Int(cohort)
        while labelCounts.count <= index { labelCounts.append(0) }
        labelCounts[index] += 1
        labelledCount += 1
        tags.retain(cohort)
    }

    mutating func release(_ cohort: TagTable.Number) {
        guard cohort != 0 else { return }
        labelCounts[Int(cohort)] -= 1
        labelledCount -= 1
        tags.release(cohort)
    }

    /// All keys go at once.
    mutating func releaseAllLabels() {
        for (cohort, count) in labelCounts.enumerated() where count > 0 {
            tags.release(TagTable.Number(cohort), keyCount: Int(count))
        }
        labelCounts = []
        labelledCount = 0
    }
}

extension Keyspace {
    /// Whether the tags of a key were invalidated since it was written.
    @inline(__always)
    package func isInvalidated(_ entry: Entry) -> Bool { entry.hasLabel && tags.isDead(entry.labelCohort) }

    /// Gives a live key a label.
    package mutating func setLabel(_ slot: EntryTable.Slot, in database: Int, _ label: EntryLabel) {
        // Labels are not kept on disk: after a crash its value would outlive its tags.
        if slot.entry.tier == .cold { tiers.cold?.store.disown(SleepingValue(slot.entry).coldAddress) }
        self[database].setLabel(slot, label)
    }

    /// The value of the slot's key is about to be replaced as a whole; see `Database.willReplace`.
    package mutating func willReplace(_ slot: EntryTable.Slot, in database: Int) {
        self[database].willReplace(slot.entry)
    }
}
