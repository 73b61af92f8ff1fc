// Config+Set.swift - CONFIG SET: several directives at once, all or none, with hooks by which the server follows.
// Runs with the engine's turn held, never on the data path. Order of tests and all texts are Redis 7's.
// A failed command leaves no trace: values, working directory and hooks are all taken back.
internal import Base

/// Why CONFIG SET failed.
package enum ConfigSetError: Error, Equatable, Sendable {
    /// No such directive.
    case unknown(name: [UInt8])
    /// A value, a right or a hook stood against it.
    case refused(name: [UInt8], reason: String?)
    /// Not while a dataset is being loaded.
    case loading

    /// The error reply without its leading minus.
    package var reply: [UInt8] {
        switch self {
        case .unknown(let name):
            Array("ERR Unknown option or number of arguments for CONFIG SET - '".utf8) + name + Array("'".utf8)
        case .refused(let name, let reason):
            Array("ERR CONFIG SET failed (possibly related to argument '".utf8) + name
                + Array(("')" + (reason.map { " - " + $0 } ?? "")).utf8)
        case .loading:
            Array("LOADING Redis is loading the dataset in memory".utf8)
        }
    }
}

/// Who asks, as far as CONFIG SET cares.
package struct ConfigClient: Sendable {
    /// Over a Unix socket or the loopback interface.
    package var isLocal: Bool
    /// The server is loading its dataset.
    package var isLoading: Bool

    /// As the session knows itself.
    package init(isLocal: Bool, isLoading: Bool = false) {
        self.isLocal = isLocal
        self.isLoading = isLoading
    }
}

/// A part of the server that follows some directives. `apply` gets the new and the old configuration after every value
/// was accepted, once per CONFIG SET however many of its directives changed; it answers nil, or the reason why it
/// cannot follow, upon which the old values return and every hook called for this command is called again with them.
package struct ConfigHook: Sendable {
    /// Primary names.
    package let directives: Set<String>
    /// Follows, or says why not.
    package let apply: @Sendable (_ new: Config, _ old: Config) -> String?

    /// `directives` are primary names.
    package init(_ directives: Set<String>, apply: @escaping @Sendable (_ new: Config, _ old: Config) -> String?) {
        for name in directives {
            precondition(
                DirectiveTable.all.contains { $0.name == name }, "a hook follows \(name), which is no directive's name")
        }
        self.directives = directives
        self.apply = apply
    }
}

/// The accepted outcome of CONFIG SET before any hook ran, for callers that bring their own way of following.
package struct ConfigChange: Sendable {
    /// What the configuration becomes.
    package let new: Config
    /// What it was.
    package let old: Config
    /// Primary names of the directives whose value changed, and as the client named them, in the client's order.
    package let changed: [(directive: String, name: [UInt8])]
}

extension Config {
    /// Sets all pairs or none. `dir` changes the process's directory through `fileSystem` at once, and back if a later
    /// pair is refused.
    package mutating func set(
        _ pairs: [(name: [UInt8], value: [UInt8])], by client: ConfigClient, fileSystem: ConfigFileSystem,
        hooks: [ConfigHook]
    ) throws(ConfigSetError) {
        let change = try planSet(pairs, by: client, fileSystem: fileSystem)
        self = change.new
        var called: [ConfigHook] = []
        var pending = hooks.map { Optional($0) }
        for (directive, name) in change.changed {
            for position in pending.indices {
                guard let hook = pending[position], hook.directives.contains(directive) else { continue }
                pending[position] = nil
                called.append(hook)
                guard let reason = hook.apply(change.new, change.old) else { continue }
                revert(change, fileSystem: fileSystem)
                for hook in called { _ = hook.apply(change.old, change.new) }
                throw .refused(name: name, reason: reason)
            }
        }
    }

    /// Takes a change back: the old values, and the old working directory.
    package mutating func revert(_ change: ConfigChange, fileSystem: ConfigFileSystem) {
        self = change.old
        Config.restoreDirectory(from: change.new, to: change.old, fileSystem)
    }

    /// Validates all pairs and answers what the configuration would be. Only `dir` has an effect already.
    package func planSet(
        _ pairs: [(name: [UInt8], value: [UInt8])], by client: ConfigClient, fileSystem: ConfigFileSystem
    ) throws(ConfigSetError) -> ConfigChange {
        let indexes = try resolve(pairs, by: client)
        var new = self
        var changed: [(directive: String, name: [UInt8])] = []
        for (pair, index) in zip(pairs, indexes) {
            let directive = DirectiveTable.all[index]
            let name = ConfigText.lowercased(pair.name)
            do throws(ConfigRefusal) {
                var value = try directive.parse(
                    directive.flags.contains(.manyArguments)
                        ? ConfigText.pieces(pair.value, separator: 32) : [pair.value],
                    current: new.value(at: index))
                if case .special(.directory) = directive.kind { value = try Config.enter(value.text, fileSystem) }
                if value != new.value(at: index) || directive.flags.contains(.volatile) {
                    changed.append((directive.name, name))
                }
                new.replace(at: index, with: value)
            } catch {
                Config.restoreDirectory(from: new, to: self, fileSystem)
                throw .refused(name: name, reason: error.reason)
            }
        }
        new.normalise()
        return ConfigChange(new: new, old: self, changed: changed)
    }

    /// True when the value of this name must be kept out of logs.
    package static func isSensitive(_ name: [UInt8]) -> Bool {
        DirectiveTable.index(of: name).map { DirectiveTable.all[$0].flags.contains(.sensitive) } ?? false
    }

    /// The directive of every pair, when the client may set all of them. The first wrong pair decides the error.
    private func resolve(
        _ pairs: [(name: [UInt8], value: [UInt8])], by client: ConfigClient
    ) throws(ConfigSetError) -> [Int] {
        var indexes: [Int] = []
        var names: Set<[UInt8]> = []
        for (name, _) in pairs {
            guard let index = DirectiveTable.index(of: name) else { throw .unknown(name: name) }
            let flags = DirectiveTable.all[index].flags
            if flags.contains(.immutable) { throw .refused(name: name, reason: "can't set immutable config") }
            if flags.contains(.protected), !settings.enableProtectedConfigs.isAllowed(isLocalClient: client.isLocal) {
                throw .refused(name: name, reason: "can't set protected config")
            }
            if client.isLoading, flags.contains(.deniedWhileLoading) { throw .loading }
            guard names.insert(ConfigText.lowercased(name)).inserted else {
                throw .refused(name: name, reason: "duplicate parameter")
            }
            indexes.append(index)
        }
        return indexes
    }

    /// Makes `path` the working directory; the value is what the system calls it then.
    static func enter(_ path: [UInt8], _ fileSystem: ConfigFileSystem) throws(ConfigRefusal) -> ConfigValue {
        do throws(SystemError) {
            try fileSystem.changeDirectory(path)
        } catch {
            throw ConfigRefusal(error.reason)
        }
        return .text(fileSystem.currentDirectory())
    }

    private static func restoreDirectory(from new: Config, to old: Config, _ fileSystem: ConfigFileSystem) {
        let (left, right) = (new.text("dir"), old.text("dir"))
        guard left != right, !right.isEmpty else { return }
        // Nothing better can be done if the old directory is gone: the values are restored all the same.
        do throws(SystemError) { try fileSystem.changeDirectory(right) } catch { return }
    }
}
