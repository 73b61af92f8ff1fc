// Directive.swift - a configuration directive as a value: its names, kind, default, flags and the `Settings` field it
// feeds. Everything else (reading, printing, rewriting, bounds, error texts) is derived from the kind.
// To add one: a line in the file of its theme under Directives/ (see Directive+Builders.swift for the forms), and a
// `Settings` field if the running server reads it. Nothing else names it.

/// One directive; see the head of this file for how to add one.
package struct Directive: Sendable {
    /// The name that CONFIG REWRITE writes: the one that the oldest supported stock server knows.
    package let name: String
    /// Other names for the same value, in files and in commands.
    package let aliases: [String]
    let kind: Kind
    /// Rights and visibility.
    package let flags: Flags
    /// What it is while no file, option or command says otherwise.
    let defaultValue: ConfigValue
    /// A reason to refuse a value that the kind alone would accept.
    let check: (@Sendable (ConfigValue) -> String?)?
    /// Copies the value into its `Settings` field.
    let store: (@Sendable (inout Settings, ConfigValue) -> Void)?

    init(
        _ name: String, _ aliases: [String], _ kind: Kind, _ flags: Flags, _ defaultValue: ConfigValue,
        check: (@Sendable (ConfigValue) -> String?)? = nil,
        store: (@Sendable (inout Settings, ConfigValue) -> Void)? = nil
    ) {
        self.name = name
        self.aliases = aliases
        self.kind = kind
        self.flags = flags.union(kind.takesManyArguments ? .manyArguments : [])
        self.defaultValue = defaultValue
        self.check = check
        self.store = store
    }

    /// Who may see and change a directive, and when.
    package struct Flags: OptionSet, Sendable {
        /// The bits.
        package let rawValue: Int
        /// From bits.
        package init(rawValue: Int) { self.rawValue = rawValue }
        /// CONFIG SET refuses it.
        package static let immutable = Flags(rawValue: 1)
        /// Its value must not reach logs, the slow log or MONITOR.
        package static let sensitive = Flags(rawValue: 2)
        /// CONFIG GET shows it only under its exact name.
        package static let hidden = Flags(rawValue: 4)
        /// CONFIG SET needs `enable-protected-configs`.
        package static let protected = Flags(rawValue: 8)
        /// CONFIG SET answers -LOADING while a dataset is being loaded.
        package static let deniedWhileLoading = Flags(rawValue: 16)
        /// Takes any number of arguments. Derived from the kind.
        package static let manyArguments = Flags(rawValue: 32)
        /// Setting it to the value it has still runs its hook (files whose content may have changed).
        package static let volatile = Flags(rawValue: 64)
    }

    enum Kind: Sendable {
        /// yes or no.
        case boolean
        case number(Number)
        case choice(Choices)
        /// Any text. `isBinary`: NUL bytes are kept (passwords); other texts end at the first NUL.
        /// `isUnsetWhenEmpty`: the empty text means "not set" and is never written to a file.
        case text(isBinary: Bool, isUnsetWhenEmpty: Bool)
        case special(Special)

        var takesManyArguments: Bool {
            switch self {
            case .boolean, .number, .text, .special(.directory), .special(.keyspaceEvents): false
            case .choice(let choices): choices.isBitSet
            case .special: true
            }
        }
    }

    /// How a number is written and what values it takes.
    struct Number: Sendable {
        enum Unit: Sendable {
            case plain, memory, octal
            /// A percentage is kept as a negative number.
            case memoryOrPercent
            /// A byte count or a plain negative number.
            case signedMemory
            /// A byte count, or the word auto (`automatic`).
            case memoryOrAuto
        }
        /// What auto is kept as: a count that no machine can mean.
        static let automatic = Int64.min
        let unit: Unit
        /// Bounds are compared as unsigned 64-bit numbers, so a negative value counts as very large.
        let isUnsigned: Bool
        let lower: Int64
        /// A bit pattern when `isUnsigned`.
        let upper: Int64
    }

    /// Names and the numbers behind them.
    struct Choices: Sendable {
        let names: [(name: String, value: Int64)]
        /// Several names may be given; the values are OR-ed.
        let isBitSet: Bool
    }

    /// Directives with a grammar of their own; see Directive+Special.swift.
    enum Special: Sendable {
        case savePoints
        case outputBufferLimits
        case oomScores
        case keyspaceEvents
        case addresses
        case replicaOf
        case percentiles
        case directory
        /// Known, but this build can never set it: the reason.
        case unsupported(String)
    }
}

/// Why a value was refused; the text after the dash of CONFIG SET's error, the last line of a start error.
struct ConfigRefusal: Error, Equatable, Sendable {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}
