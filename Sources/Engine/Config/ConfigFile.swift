// ConfigFile.swift - a configuration text cut into its meaningful lines, each with its place and its arguments.
// Pure; used by the loader for files, standard input, the environment and the command line alike.
// It knows nothing of directives; `ConfigLoader` gives the lines their meaning.

/// Where a line stands, for error messages.
package struct ConfigOrigin: Sendable, Equatable {
    /// What the line was read from.
    package enum Source: Sendable, Equatable {
        case file(path: [UInt8])
        case standardInput
        case environment(variable: [UInt8])
        case commandLine
    }
    /// The file or other source.
    package let source: Source
    /// Counted from 1; command-line options count on from the end of the file, as Redis counts them.
    package let lineNumber: Int
    /// The line without the blanks around it.
    package let text: [UInt8]

    /// "the file /etc/redis.conf", for a sentence.
    var place: String {
        switch source {
        case .file(let path): "the file " + ConfigText.string(path)
        case .standardInput: "standard input"
        case .environment(let variable): "the environment variable " + ConfigText.string(variable)
        case .commandLine: "the command line"
        }
    }
}

/// One line that says something.
package struct ConfigLine: Sendable, Equatable {
    /// Where it stands.
    package let origin: ConfigOrigin
    /// The first in lower case. Empty when the line's quotes are unbalanced.
    package let arguments: [[UInt8]]
}

enum ConfigFile {
    /// The lines of `content` without comments and blank ones.
    static func lines(
        of content: [UInt8], from source: ConfigOrigin.Source, firstLineNumber: Int = 1
    ) -> [ConfigLine] {
        let rows = content.split(separator: 10, omittingEmptySubsequences: false)
        var result: [ConfigLine] = []
        for (index, row) in rows.enumerated() {
            let text = ConfigText.trimmed(row)
            if text.isEmpty || text[0] == UInt8(ascii: "#") { continue }
            let origin = ConfigOrigin(source: source, lineNumber: firstLineNumber + index, text: text)
            var arguments = ConfigText.splitArguments(text) ?? []
            if !arguments.isEmpty { arguments[0] = ConfigText.lowercased(arguments[0]) }
            // Only blanks that trimming does not know (vertical tab, form feed): nothing is said.
            if arguments.isEmpty && text.allSatisfy({ ConfigText.isBlank($0) }) { continue }
            result.append(ConfigLine(origin: origin, arguments: arguments))
        }
        return result
    }

    static func lineCount(of content: [UInt8]) -> Int { content.reduce(0) { $0 + ($1 == 10 ? 1 : 0) } }
}
