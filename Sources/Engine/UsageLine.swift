// UsageLine.swift - the small language in which a command declares its syntax, and its reader. One line holds all that
// COMMAND DOCS tells about arguments, and still reads as a syntax line. Pure; any thread; allocates, so nothing on the
// data path may ask. A line that cannot be read is our own mistake: a test reads all of them.
//
//   line        = item { " " item }
//   item        = [ "[" ] thing marks [ "]" [ "..." ] ]         brackets: optional
//   thing       = word                                            pure token, named by the word in small letters
//               | name [ "/" shown ] "=" token                    pure token with a name of its own
//               | [ token " " ] name [ "/" shown ] [ ":" type ]   value; "key" is of type key, others are strings
//               | [ name "=" ] [ token " " ] "(" items ")"        block, or one of several when "|" parts the items
//   marks       = [ "#" spec ] [ "..." ] [ "@" since ] [ "@!" deprecated since ] [ "{" summary "}" ]
//   token       = word of capitals, or anything in quotes;   shown = name, or anything in quotes
internal import Base

/// One argument of a command, as COMMAND DOCS tells it.
package struct UsageArgument: Sendable, Equatable {
    /// What stands in the argument's place; raw values as COMMAND DOCS prints them.
    package enum Kind: String, Sendable {
        case string, integer, double, key, pattern, block
        case unixTime = "unix-time"
        case pureToken = "pure-token"
        case oneOf = "oneof"
    }

    package var name = ""
    package var kind = Kind.string
    /// The name shown in syntax lines; nil for blocks and choices.
    package var displayText: String?
    package var keySpecIndex: Int?
    package var token: String?
    package var summary: String?
    package var since: String?
    package var deprecatedSince: String?
    package var isOptional = false
    package var isMultiple = false
    package var repeatsToken = false
    package var arguments: [UsageArgument] = []
}

/// Why a usage line cannot be read, and at which byte.
package struct UsageLineError: Error, CustomStringConvertible {
    package let reason: StaticString
    package let position: Int
    package var description: String { "usage line: \(reason) at byte \(position)" }
}

/// A line that was read. Where the grammar leaves a choice: a block's name may be left out when it is its token in
/// small letters; `(| x)` is a choice with one alternative; `...` says that the value repeats, behind a bracket that
/// the token repeats with it; `#1` names the key specification a value belongs to, `#-` none, and keys without either
/// are numbered one by one; a word in front of a value is that value's token, so a pure token in such a place is
/// written with its name (`no=NO value`). Types are key, string, integer, double, pattern and unix-time.
package struct UsageLine: Sendable {
    package let arguments: [UsageArgument]

    package init(_ text: String) throws(UsageLineError) {
        var reader = Reader(bytes: Array(text.utf8))
        arguments = try reader.readLine()
    }

    /// The fewest words that the arguments need, and whether there may be more; without the command's name.
    package var wordCount: (minimum: Int, isOpen: Bool) {
        UsageLine.wordCount(sequence: arguments)
    }

    private static func wordCount(sequence: [UsageArgument]) -> (minimum: Int, isOpen: Bool) {
        var minimum = 0
        var isOpen = false
        for argument in sequence {
            let words = wordCount(argument)
            if argument.isOptional { isOpen = true } else { minimum += words.minimum }
            isOpen = isOpen || words.isOpen || argument.isMultiple
        }
        return (minimum, isOpen)
    }

    private static func wordCount(_ argument: UsageArgument) -> (minimum: Int, isOpen: Bool) {
        // An empty token ("" of MIGRATE) is a word as well.
        let token = argument.token == nil ? 0 : 1
        switch argument.kind {
        case .pureToken:
            return (1, false)
        case .block:
            let inner = wordCount(sequence: argument.arguments)
            return (inner.minimum + token, inner.isOpen)
        case .oneOf:
            let inner = argument.arguments.map { wordCount(sequence: [$0]) }
            let minimum = inner.map(\.minimum).min() ?? 0
            let isOpen = inner.contains { $0.isOpen || $0.minimum != minimum }
            return (minimum + token, isOpen)
        default:
            return (1 + token, false)
        }
    }
}

/// Reads one line from left to right.
private struct Reader {
    let bytes: [UInt8]
    var position = 0
    /// The key specification that the next key without a mark belongs to.
    var nextKeySpec = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    private var byte: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func byte(at offset: Int) -> UInt8? {
        position + offset < bytes.count ? bytes[position + offset] : nil
    }

    private func fails(_ reason: StaticString) -> UsageLineError { UsageLineError(reason: reason, position: position) }

    private mutating func take(_ text: StaticString) -> Bool {
        guard bytes.span.extracting(position..<bytes.count).starts(with: text) else { return false }
        position += text.utf8CodeUnitCount
        return true
    }

    private mutating func takeWhile(_ isWanted: (UInt8) -> Bool) -> String {
        let start = position
        while let byte, isWanted(byte) { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    // MARK: words

    private static func isCapital(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") }
    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
    private static func isSmall(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") }
    private static func joins(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") }

    private mutating func quoted() throws(UsageLineError) -> String {
        guard take("\"") else { throw fails("a quote is missing") }
        let text = takeWhile { $0 != UInt8(ascii: "\"") }
        guard take("\"") else { throw fails("a quote is not closed") }
        return text
    }

    private mutating func token() throws(UsageLineError) -> String {
        if byte == UInt8(ascii: "\"") { return try quoted() }
        let text = takeWhile { Reader.isCapital($0) || Reader.isDigit($0) || Reader.joins($0) }
        if text.isEmpty { throw fails("a token is missing") }
        return text
    }

    private mutating func name() throws(UsageLineError) -> String {
        let text = takeWhile { Reader.isSmall($0) || Reader.isDigit($0) || Reader.joins($0) }
        if text.isEmpty { throw fails("a name is missing") }
        return text
    }

    private var startsToken: Bool {
        guard let byte else { return false }
        return Reader.isCapital(byte) || byte == UInt8(ascii: "\"")
    }

    private func startsName(at offset: Int) -> Bool {
        guard let byte = byte(at: offset) else { return false }
        return Reader.isSmall(byte) || Reader.isDigit(byte)
    }

    // MARK: items

    mutating func readLine() throws(UsageLineError) -> [UsageArgument] {
        var items: [UsageArgument] = []
        while position < bytes.count {
            if !items.isEmpty, !take(" ") { throw fails("a blank is missing") }
            items.append(try item())
        }
        return items
    }

    private mutating func item() throws(UsageLineError) -> UsageArgument {
        let isOptional = take("[")
        var argument = try thing()
        try marks(&argument)
        if isOptional {
            guard take("]") else { throw fails("a bracket is not closed") }
            argument.isOptional = true
            if take("...") {
                argument.isMultiple = true
                argument.repeatsToken = true
            }
        }
        return argument
    }

    private mutating func thing() throws(UsageLineError) -> UsageArgument {
        var argument = UsageArgument()
        if startsToken { return try tokenFirst() }
        argument.name = try name()
        argument.displayText = try shown(argument.name)
        if take("=") {
            if byte != UInt8(ascii: "(") {
                argument.token = try token()
                guard byte == UInt8(ascii: " "), byte(at: 1) == UInt8(ascii: "(") else {
                    argument.kind = .pureToken
                    return argument
                }
                position += 1
            }
            argument.displayText = nil
            try group(&argument)
        } else {
            try value(&argument)
        }
        return argument
    }

    /// A pure token, a value with a token, or a group named by its token.
    private mutating func tokenFirst() throws(UsageLineError) -> UsageArgument {
        var argument = UsageArgument()
        let word = try token()
        argument.token = word
        if byte == UInt8(ascii: " "), byte(at: 1) == UInt8(ascii: "(") {
            position += 1
            argument.name = word.lowercased()
            try group(&argument)
        } else if byte == UInt8(ascii: " "), startsName(at: 1) {
            position += 1
            argument.name = try name()
            argument.displayText = try shown(argument.name)
            try value(&argument)
        } else {
            argument.name = word.lowercased()
            argument.displayText = argument.name
            argument.kind = .pureToken
        }
        return argument
    }

    private mutating func shown(_ name: String) throws(UsageLineError) -> String {
        guard take("/") else { return name }
        return byte == UInt8(ascii: "\"") ? try quoted() : try self.name()
    }

    private mutating func value(_ argument: inout UsageArgument) throws(UsageLineError) {
        if take(":") {
            let kind = UsageArgument.Kind(rawValue: try name())
            guard let kind, kind != .block, kind != .oneOf, kind != .pureToken else { throw fails("unknown type") }
            argument.kind = kind
        } else {
            argument.kind = argument.name == "key" ? .key : .string
        }
    }

    private mutating func group(_ argument: inout UsageArgument) throws(UsageLineError) {
        guard take("(") else { throw fails("a group is missing") }
        argument.kind = take("| ") ? .oneOf : .block
        while true {
            argument.arguments.append(try item())
            if take(")") { return }
            if take(" | ") {
                if argument.kind == .block, argument.arguments.count > 1 { throw fails("a choice within a block") }
                argument.kind = .oneOf
            } else if argument.kind == .oneOf || !take(" ") {
                throw fails("a group is not closed")
            }
        }
    }

    private mutating func marks(_ argument: inout UsageArgument) throws(UsageLineError) {
        if take("#-") {
            argument.keySpecIndex = nil
        } else if take("#") {
            let digits = takeWhile(Reader.isDigit)
            guard let index = Int(digits) else { throw fails("a number is missing") }
            argument.keySpecIndex = index
            if argument.kind == .key { nextKeySpec = index + 1 }
        } else if argument.kind == .key {
            argument.keySpecIndex = nextKeySpec
            nextKeySpec += 1
        }
        if take("...") { argument.isMultiple = true }
        if take("@!") {
            argument.deprecatedSince = version()
        } else if take("@") {
            argument.since = version()
            if take("@!") { argument.deprecatedSince = version() }
        }
        if take("{") {
            argument.summary = takeWhile { $0 != UInt8(ascii: "}") }
            if !take("}") { throw fails("a summary is not closed") }
        }
    }

    private mutating func version() -> String {
        takeWhile { Reader.isDigit($0) || $0 == UInt8(ascii: ".") }
    }
}
