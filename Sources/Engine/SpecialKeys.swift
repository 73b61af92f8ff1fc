// SpecialKeys.swift - key extraction for commands whose key specifications do not tell everything: options that may
// stand anywhere (SORT, MIGRATE, GEORADIUS), and uses that depend on options (SET, BITFIELD). Engine's turn; reads
// words, keeps none.
internal import Base
internal import RESP

enum SpecialKeys {
    static func append(
        keysOf command: Command, in arguments: borrowing Arguments, to keys: inout [KeyReference]
    ) -> Bool {
        switch command.name {
        case "SET":
            let flags: KeySpec.Flags =
                has("GET", from: 3, arguments) ? [.readWrite, .access, .update] : [.overwrite, .update]
            keys.append(KeyReference(index: 1, flags: flags))
        case "BITFIELD":
            let flags: KeySpec.Flags =
                bitfieldWrites(arguments) ? [.readWrite, .access, .update] : [.readOnly, .access]
            keys.append(KeyReference(index: 1, flags: flags))
        case "SORT":
            keys.append(KeyReference(index: 1, flags: [.readOnly, .access]))
            if let index = sortDestination(arguments) {
                keys.append(KeyReference(index: index, flags: [.overwrite, .update]))
            }
        case "SORT_RO":
            keys.append(KeyReference(index: 1, flags: [.readOnly, .access]))
        case "GEORADIUS", "GEORADIUSBYMEMBER":
            keys.append(KeyReference(index: 1, flags: [.readOnly, .access]))
            if let index = radiusDestination(arguments) {
                keys.append(KeyReference(index: index, flags: [.overwrite, .update]))
            }
        case "MIGRATE":
            return appendMigrated(arguments, to: &keys)
        case "LOAD" where command.group == .fog:
            return appendWarmed(arguments, to: &keys)
        default:
            return false
        }
        return true
    }

    /// FOG.WARM LOAD: keys with values, behind a time to live or not, as their number tells.
    private static func appendWarmed(_ arguments: borrowing Arguments, to keys: inout [KeyReference]) -> Bool {
        var start = arguments[0].equalsIgnoringCase("FOG.WARM") ? 2 : 1
        let count = arguments.count - start
        guard count >= 2, count % 2 == 0 else { return false }
        if count > 2, arguments[start].equalsIgnoringCase("TTL") { start += 2 }
        for index in stride(from: start, to: arguments.count, by: 2) {
            keys.append(KeyReference(index: index, flags: [.overwrite, .insert]))
        }
        return true
    }

    private static func has(_ word: StaticString, from start: Int, _ arguments: borrowing Arguments) -> Bool {
        for index in start..<max(start, arguments.count) where arguments[index].equalsIgnoringCase(word) { return true }
        return false
    }

    /// Anything but GET and OVERFLOW writes; so does a word that no operation begins with, to be safe.
    private static func bitfieldWrites(_ arguments: borrowing Arguments) -> Bool {
        var index = 2
        while index < arguments.count {
            let left = arguments.count - index - 1
            if arguments[index].equalsIgnoringCase("GET"), left >= 2 {
                index += 3
            } else if arguments[index].equalsIgnoringCase("OVERFLOW"), left >= 1 {
                index += 2
            } else {
                return true
            }
        }
        return false
    }

    /// The last STORE counts; the words of other options are not options themselves.
    private static func sortDestination(_ arguments: borrowing Arguments) -> Int? {
        var found: Int?
        var index = 2
        while index < arguments.count {
            if arguments[index].equalsIgnoringCase("LIMIT") {
                index += 2
            } else if arguments[index].equalsIgnoringCase("GET") || arguments[index].equalsIgnoringCase("BY") {
                index += 1
            } else if arguments[index].equalsIgnoringCase("STORE"), index + 1 < arguments.count {
                index += 1
                found = index
            }
            index += 1
        }
        return found
    }

    private static func radiusDestination(_ arguments: borrowing Arguments) -> Int? {
        var found: Int?
        var index = 5
        while index + 1 < arguments.count {
            if arguments[index].equalsIgnoringCase("STORE") || arguments[index].equalsIgnoringCase("STOREDIST") {
                index += 1
                found = index
            }
            index += 1
        }
        return found
    }

    /// One key in the third place, or, when that is empty, all words behind KEYS.
    private static func appendMigrated(_ arguments: borrowing Arguments, to keys: inout [KeyReference]) -> Bool {
        let flags: KeySpec.Flags = [.readWrite, .access, .delete]
        var index = 6
        while index < arguments.count {
            if arguments[index].equalsIgnoringCase("KEYS") {
                guard arguments[3].isEmpty else { return false }
                for key in (index + 1)..<max(index + 1, arguments.count) {
                    keys.append(KeyReference(index: key, flags: flags))
                }
                return true
            }
            // A password may be any word, "KEYS" as well.
            if arguments[index].equalsIgnoringCase("AUTH") {
                index += 2
            } else if arguments[index].equalsIgnoringCase("AUTH2") {
                index += 3
            } else {
                index += 1
            }
        }
        guard arguments.count > 3 else { return false }
        keys.append(KeyReference(index: 3, flags: flags))
        return true
    }
}
