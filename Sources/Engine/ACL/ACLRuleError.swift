// ACLRuleError.swift - why a rule of ACL SETUSER, of a `user` line or of an ACL file is refused, in the stock servers'
// words.

package enum ACLRuleError: Error {
    case unknownCommand
    case syntax
    case patternAfterAllKeys
    case patternAfterAllChannels
    case malformedHash
    case noSuchPassword
    case firstArgumentOfSubcommand
    case databaseOutOfRange

    package var text: String {
        switch self {
        case .unknownCommand: "Unknown command or category name in ACL"
        case .syntax: "Syntax error"
        case .patternAfterAllKeys:
            """
            Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. \
            Try 'resetkeys' to start with an empty list of patterns
            """
        case .patternAfterAllChannels:
            """
            Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any \
            effect. Try 'resetchannels' to start with an empty list of channels
            """
        case .malformedHash:
            "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
        case .noSuchPassword: "The password you are trying to remove from the user does not exist"
        case .firstArgumentOfSubcommand: "Allowing first-arg of a subcommand is not supported"
        case .databaseOutOfRange: "The provided database ID is out of range"
        }
    }
}

/// A rule that was refused, with what stands in the error beside the reason.
package struct ACLRefusal: Error {
    /// The whole error, without a code.
    package let text: String
}
