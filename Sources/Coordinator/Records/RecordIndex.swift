// RecordIndex.swift - what an index of records has to do. It is derived state of one database: it never writes a record
// and can be made anew from the keyspace at any time. Its owner (`DatabaseRecords`) brings it up to date before
// anybody asks: everything that anyone changed by any command is read again first. Under the turn.
internal import Base
internal import Engine
internal import Structures

protocol RecordIndex: AnyObject {
    /// Records it knows.
    var count: Int { get }
    /// The record of `id`, new or known, is the live hash `entry`.
    func read(_ id: Span<UInt8>, _ entry: Entry, now: Int64)
    /// There is no record of `id` (any more).
    func forget(_ id: Span<UInt8>)
    /// Every record will be read again; until `endRebuild` the known ones stay, with what belongs to them.
    func beginRebuild()
    /// Forgets records that were not read since `beginRebuild`.
    func endRebuild()
    /// Forgets everything.
    func removeAll()
    /// Time has passed: records whose time is over go. Called before every use, and by the clock with a bound on how
    /// many go at a time. True when none is left.
    func advance(to now: Int64, countMax: Int) -> Bool
    func settingsChanged(_ settings: FogSettings)
    /// CONFIG RESETSTAT.
    func resetStatistics()
    /// Work by the clock on the index's own database; may change records through the engine's doors. True: there is
    /// more to do at once.
    func tick(_ engine: inout Engine, _ database: Int, _ state: CoordinatorState) -> Bool
}
