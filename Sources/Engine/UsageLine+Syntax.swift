// UsageLine+Syntax.swift - a usage line as people write syntax: `SET key value [NX | XX] [EX seconds]`. For help texts
// and error hints. Pure; any thread; allocates.

extension UsageLine {
    /// The plain syntax, without the command's name.
    package var syntax: String {
        arguments.map(UsageLine.syntax).joined(separator: " ")
    }

    private static func syntax(_ argument: UsageArgument) -> String {
        var value = body(argument)
        if let token = argument.token, argument.kind != .pureToken {
            value = shown(token: token) + " " + value
        }
        if argument.isMultiple {
            // Only what repeats is shown a second time: with the token when the token repeats.
            value += " [" + (argument.repeatsToken ? value : body(argument)) + " ...]"
        }
        return argument.isOptional ? "[" + value + "]" : value
    }

    private static func body(_ argument: UsageArgument) -> String {
        switch argument.kind {
        case .pureToken: return shown(token: argument.token ?? "")
        case .block: return argument.arguments.map(syntax).joined(separator: " ")
        case .oneOf:
            let choices = argument.arguments.map(syntax).joined(separator: " | ")
            return argument.isOptional && !argument.isMultiple && argument.token == nil ? choices : "<" + choices + ">"
        default: return argument.displayText ?? argument.name
        }
    }

    private static func shown(token: String) -> String { token.isEmpty ? "\"\"" : token }
}
