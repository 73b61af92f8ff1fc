// Engine+Extension.swift - telling the extension what happened, and installing it. Under the turn.
internal import Base
internal import Keyspace

extension Engine {
    /// Once, before anything runs.
    package mutating func install(_ newExtension: any EngineExtension) {
        precondition(coordination == nil, "there is one extension")
        coordination = newExtension
        extensionPrefix = Array(config.string("fog-key-prefix").utf8)
        newExtension.prefixChanged(extensionPrefix)
        newExtension.settingsChanged(settings)
    }

    /// The extension wants to hear of its keys, or does not any more.
    package mutating func setExtensionListens(_ listens: Bool) {
        guard listens != extensionListens else { return }
        extensionListens = listens
        armEffects()
    }

    /// The configuration changed.
    mutating func tellExtensionSettings() {
        guard let coordination else { return }
        let prefix = Array(config.string("fog-key-prefix").utf8)
        if prefix != extensionPrefix {
            extensionPrefix = prefix
            coordination.prefixChanged(prefix)
        }
        coordination.settingsChanged(settings)
    }

    @inline(__always)
    func tellExtension(changed key: Span<UInt8>, database: Int) {
        guard key.starts(with: extensionPrefix.span) else { return }
        coordination?.keyChanged(key.extracting(extensionPrefix.count..<key.count), database: database)
    }

    mutating func tellExtensionReload() { coordination?.datasetReplaced(&self) }

    /// Ends what the extension changed outside of any command: one unit of the journal, then everybody hears of it.
    package mutating func finishOutsideOfCommand() {
        if journal.isOn {
            journal.seenChangeCount = changeCount
            if context == .client { journal.endUnit(second: keyspace.now / 1000) }
        }
        applyEffects()
    }
}

extension Call {
    /// Says that two databases exchanged their keys (SWAPDB).
    package func swapped(_ first: Int, _ second: Int) { administration.noteSwap(first, second) }

    /// The extension, for the module that installed it.
    package var coordination: (any EngineExtension)? { administration.coordination }

    /// Argument index of the first word behind the command's name: 2 for a subcommand, 1 for a command of its own and
    /// for a subcommand that was called by its dotted name (FOG.NODE.GET).
    package var firstWord: Int { administration.commands.container(of: slot) == nil ? 1 : 2 }
}

extension Engine {
    fileprivate mutating func noteSwap(_ first: Int, _ second: Int) {
        changeCount &+= 1
        if effects.isObserved {
            record(.replacement, database: first)
            if first != second { record(.replacement, database: second) }
        }
        if extensionListens, first != second { coordination?.databasesSwapped(first, second) }
    }
}
