// EngineExtension.swift - the one slot for a module above the commands that keeps state derived from keys (the
// coordinator's indexes). The engine may not import it, so it knows a protocol. As long as the extension does not
// listen (`Engine.setExtensionListens`) nothing is told and no command pays for it; while it listens, a changed key
// costs one comparison with `fog-key-prefix`. Everything is called under the turn and must not block.
internal import Base

package protocol EngineExtension: AnyObject {
    /// A key with the extension's prefix, which `name` leaves out, changed, came or went: by a command, or because it
    /// expired or was evicted. What happened is not said: look the key up when it matters. The keyspace may not be
    /// touched from here.
    func keyChanged(_ name: Span<UInt8>, database: Int)
    /// Every key of `database` went.
    func databaseReplaced(_ database: Int)
    /// Two databases exchanged their keys.
    func databasesSwapped(_ first: Int, _ second: Int)
    /// A file was loaded, in the place of all keys or added to them; also told when the extension does not listen.
    func datasetReplaced(_ engine: inout Engine)
    /// The prefix of keys that are told changed.
    func prefixChanged(_ prefix: [UInt8])
    func settingsChanged(_ settings: Settings)
    /// CONFIG RESETSTAT.
    func statisticsReset()
    /// The clock, `hz` times a second, between commands. True: there is more to do at once.
    func tick(_ engine: inout Engine) -> Bool
}
