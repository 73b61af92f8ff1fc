// KeyExtraction.swift - which arguments of a command line are keys, and how they are used: for COMMAND GETKEYS, ACL and
// cluster routing. Key specifications answer for nearly all commands; where they are incomplete or their flags depend
// on the arguments, a rule in `SpecialKeys` reads the line. Engine's turn; keeps no argument; counts from outside are
// checked against the number of words before they become positions.
internal import Base
package import RESP

/// One key of a command line.
package struct KeyReference: Sendable, Equatable {
    /// Argument index.
    package let index: Int
    package let flags: KeySpec.Flags
}

package enum KeyExtraction {
    /// Adds the keys of `arguments`, a line that `command` may have by its arity. False: the words do not fit the
    /// command, so its keys cannot be told (then `keys` is as before).
    package static func append(
        keysOf command: Command, in arguments: borrowing Arguments, to keys: inout [KeyReference]
    ) -> Bool {
        let mark = keys.count
        let isVariable = command.keys.contains { $0.flags.contains(.variableFlags) }
        if !isVariable {
            var isComplete = command.hasKeys
            for spec in command.keys where isComplete && !spec.flags.contains(.notKey) {
                isComplete = append(spec, arguments, to: &keys)
            }
            if isComplete { return true }
            keys.removeSubrange(mark...)
        }
        return SpecialKeys.append(keysOf: command, in: arguments, to: &keys)
    }

    /// False when the specification does not fit the words, or cannot say everything.
    private static func append(
        _ spec: KeySpec, _ arguments: borrowing Arguments, to keys: inout [KeyReference]
    ) -> Bool {
        var first: Int
        switch spec.begin {
        case .index(let index):
            first = index
        case .keyword(let word, let start):
            guard let found = find(word, start, arguments) else { return true }
            first = found + 1
        case .unknown:
            return false
        }
        let count = arguments.count
        var last: Int
        var step: Int
        switch spec.find {
        case .range(let lastOffset, let rangeStep, let limit):
            step = rangeStep
            if lastOffset >= 0 {
                last = first + lastOffset
            } else {
                last = (limit == 0 ? count : first + (count - first) / limit) + lastOffset
            }
        case .keyCount(let countOffset, let firstOffset, let countStep):
            step = countStep
            guard first + countOffset < count, let number = IntegerText.parse(arguments[first + countOffset]),
                number >= 0, number <= Int64(count)
            else { return false }
            first += firstOffset
            last = first + (Int(number) - 1) * step
        case .unknown:
            return false
        }
        guard first < count, last < count, last >= first, step > 0 else { return false }
        for index in stride(from: first, through: last, by: step) {
            keys.append(KeyReference(index: index, flags: spec.flags))
        }
        return !spec.flags.contains(.incomplete)
    }

    /// Where `word` stands, looking forwards from `start`, or backwards from the end when it is negative.
    private static func find(_ word: String, _ start: Int, _ arguments: borrowing Arguments) -> Int? {
        let count = arguments.count
        let isBackwards = start < 0
        var index = isBackwards ? count + start : start
        while index >= 1, index < count {
            if arguments[index].equalsIgnoringCase(word.utf8.span) { return index }
            index += isBackwards ? -1 : 1
        }
        return nil
    }
}
