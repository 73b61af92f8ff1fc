// FogDirectives.swift - directives that only Fog has. Their names start with `fog-` unless a stock server is likely to
// use the same name for the same thing. Declared like all others; none exists before something reads it.
// To add one: a line below, a field in Settings.swift if the running server reads it, a row in the tests' tables.

extension DirectiveTable {
    static let fog: [Directive] = [
        .boolean("fog-aof-checksums", false) { $0.aofChecksums = $1 },
        .boolean("fog-advise-eviction", false) { $0.fog.advisesEviction = $1 },
        .integer("fog-advise-keys", 8192, 1024...1_048_576) { $0.fog.adviseKeyCount = $1 },
    ]
}
