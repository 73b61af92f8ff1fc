// DirectiveTable.swift - all directives joined, and the way from a name to its directive. Built once on first use,
// immutable and shared by every thread afterwards. A directive's index is only meaningful inside this process.
// Names are looked up without regard to case, as every stock server does it.

/// The directives and their names.
package enum DirectiveTable {
    /// Every directive; a `Config` holds one value per entry, in this order. CONFIG REWRITE appends in this order.
    package static let all: [Directive] =
        network + general + observability + security + memory + dataTypes + persistence + replication + cluster + tls
        + fog + coordinator + cache + tiers + market

    /// Every name and alias in alphabetical order, with the index of its directive.
    package static let names: [(name: String, index: Int)] = {
        var list: [(name: String, index: Int)] = []
        for (index, directive) in all.enumerated() {
            for name in [directive.name] + directive.aliases { list.append((name, index)) }
        }
        return list.sorted { $0.name < $1.name }
    }()

    /// Directives that older servers had and that mean nothing any more: accepted with one argument and ignored.
    static let ignoredInFiles: Set<String> = [
        "list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands", "events-per-io-thread",
    ]

    /// Lines of a file that are no directives with a value.
    static let fileKeywords = ["include", "rename-command", "user", "loadmodule", "sentinel"]

    private static let indexes: [String: Int] = {
        let pairs = names.map { ($0.name, $0.index) }
        return Dictionary(pairs) { _, _ in preconditionFailure("two directives share a name") }
    }()

    private static let environmentNames: [String: String] = Dictionary(
        names.map { (environmentForm($0.name), $0.name) }, uniquingKeysWith: { first, _ in first })

    /// The index of a directive by its name or an alias, in lower case.
    package static func index(of name: String) -> Int? { indexes[name] }

    /// The same for bytes of any case.
    package static func index(of name: [UInt8]) -> Int? { indexes[ConfigText.string(ConfigText.lowercased(name))] }

    /// The directive behind what follows `FOG_` in an environment variable.
    static func name(forEnvironment suffix: String) -> String? { environmentNames[suffix] }

    /// The part of an environment variable's name that stands for a directive.
    static func environmentForm(_ name: String) -> String {
        String(name.uppercased().map { $0 == "-" ? "_" : $0 })
    }

    /// What a mistyped name most likely meant.
    static func suggestion(for name: [UInt8]) -> String? {
        ConfigPattern.nearest(to: ConfigText.lowercased(name), among: names.map(\.name) + fileKeywords)
    }
}
