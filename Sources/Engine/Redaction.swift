// Redaction.swift - which arguments of a command are secrets: MONITOR and the command logs show "(redacted)" instead.
// Looked at only when a command is shown or logged.
internal import Base
internal import RESP

extension Engine {
    /// Whether argument `index` of a command with slot `id` must not be shown.
    func isSecret(_ arguments: borrowing Arguments, _ index: Int, of id: Int) -> Bool {
        guard id >= 0, index > 0 else { return false }
        switch commands.fullNames[id] {
        case "auth": return true
        case "hello": return Engine.followsAuthentication(arguments, index)
        case "acl|setuser": return index > 1
        case "config|set": return index > 2 && index % 2 == 1 && Config.isSensitive(arguments[index - 1].array)
        default: return false
        }
    }

    /// The two words behind AUTH.
    private static func followsAuthentication(_ arguments: borrowing Arguments, _ index: Int) -> Bool {
        for back in 1...2 where index - back >= 2 {
            if arguments[index - back].equalsIgnoringCase("auth") { return true }
        }
        return false
    }
}
