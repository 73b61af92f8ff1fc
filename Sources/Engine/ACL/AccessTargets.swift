// AccessTargets.swift - what a command line is about besides keys: channels, and databases other than the selected one.
// Only permission checks ask. A command that names channels or databases in a new way gets a case here.
internal import Base
internal import RESP

enum AccessTargets {
    /// The arguments that are channels, and whether they are patterns; nil when the command has none. Leaving a
    /// channel needs no permission.
    static func channels(of name: String, argumentCount: Int) -> (indices: Range<Int>, isPattern: Bool)? {
        switch name {
        case "publish", "spublish": argumentCount > 1 ? (1..<2, false) : nil
        case "subscribe", "ssubscribe": argumentCount > 1 ? (1..<argumentCount, false) : nil
        case "psubscribe": argumentCount > 1 ? (1..<argumentCount, true) : nil
        default: nil
        }
    }

    /// How a command uses databases.
    enum Databases {
        case none
        case selected
        /// Those that these arguments name, and the selected one when `alsoSelected`.
        case named([Int], alsoSelected: Bool)
        case all
    }

    static func databases(
        of name: String, _ command: Command, _ arguments: borrowing Arguments
    ) -> Databases {
        switch name {
        case "select": return .named([1], alsoSelected: false)
        case "swapdb": return .named([1, 2], alsoSelected: false)
        case "move": return .named([2], alsoSelected: true)
        case "copy":
            for index in 3..<max(3, arguments.count - 1) where arguments[index].equalsIgnoringCase("DB") {
                return .named([index + 1], alsoSelected: true)
            }
            return .selected
        case "flushall": return .all
        default:
            let touchesKeys = command.hasKeys || command.aclCategories.contains(.keyspace) || command.group == .fog
            return touchesKeys ? .selected : .none
        }
    }
}
