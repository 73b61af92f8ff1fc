// FogDirectives.swift - directives that only Fog has. Their names start with `fog-` unless a stock server is likely to
// use the same name for the same thing. Declared like all others; none exists before something reads it.
// To add one: a line below, a field in Settings.swift if the running server reads it, a row in the tests' tables.

extension DirectiveTable {
    static let fog: [Directive] = [
        .boolean("fog-aof-checksums", false) { $0.aofChecksums = $1 }
    ]
}
