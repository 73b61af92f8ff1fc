// Directive+Print.swift - from a value to text: what CONFIG GET answers, and the lines CONFIG REWRITE writes.
// The two differ: GET prints bytes as plain numbers, REWRITE with units; GET prints lists in one text.
// What is printed here must be read back by Directive+Parse.swift to the same value; a test holds that for all.

/// What CONFIG REWRITE does about one directive.
enum DirectiveLines {
    /// Each line replaces one of the file's lines for this directive, in order; when those run out, a line is
    /// appended if it `isForced`. Lines left over are blanked.
    case lines([(text: [UInt8], isForced: Bool)])
    /// All of the file's lines for it are blanked.
    case none
}

extension Directive {
    /// The value as CONFIG GET shows it.
    func text(of value: ConfigValue) -> [UInt8] {
        switch kind {
        case .boolean: Array((value.number != 0 ? "yes" : "no").utf8)
        case .number(let number): Array(number.text(of: value.number).utf8)
        case .choice(let choices): Array(choices.text(of: value.number).utf8)
        case .text: value.text
        case .special(let special): specialText(special, value)
        }
    }

    private func specialText(_ special: Special, _ value: ConfigValue) -> [UInt8] {
        switch special {
        case .savePoints, .oomScores:
            return Array(value.numbers.map { String($0) }.joined(separator: " ").utf8)
        case .outputBufferLimits:
            let classes = zip(["normal", "slave", "pubsub"], stride(from: 0, to: value.numbers.count, by: 3))
            let texts = classes.map { name, start in
                let limits = value.numbers[start..<min(start + 3, value.numbers.count)]
                return name + " " + limits.map { String(UInt64(bitPattern: $0)) }.joined(separator: " ")
            }
            return Array(texts.joined(separator: " ").utf8)
        case .keyspaceEvents:
            return KeyspaceEventClasses(rawValue: Int(value.number)).letters
        case .addresses, .replicaOf, .unsupported:
            return Array(value.texts.joined(separator: [32]))
        case .percentiles:
            return Array(value.reals.map { ConfigNumber.fixed($0) }.joined(separator: " ").utf8)
        case .directory:
            return value.text
        }
    }

    /// The lines that say `value` in a file in which an absent directive means `standard`.
    func lines(of value: ConfigValue, standard: ConfigValue) -> DirectiveLines {
        func one(_ text: [UInt8], isForced: Bool) -> DirectiveLines {
            .lines([(Array(name.utf8) + [32] + text, isForced)])
        }
        switch kind {
        case .boolean, .choice:
            return one(text(of: value), isForced: value != standard)
        case .number(let number):
            let isBytes = number.isMemory && (number.unit == .memory || value.number >= 0)
            let text = isBytes ? ConfigNumber.memoryText(value.number) : number.text(of: value.number)
            return one(Array(text.utf8), isForced: value != standard)
        case .text(_, let isUnsetWhenEmpty):
            if value.text.isEmpty && isUnsetWhenEmpty { return .none }
            return one(ConfigText.quoted(value.text), isForced: value != standard)
        case .special(let special):
            return specialLines(special, value, standard: standard)
        }
    }

    private func specialLines(_ special: Special, _ value: ConfigValue, standard: ConfigValue) -> DirectiveLines {
        let start = Array(name.utf8) + [32]
        let empty = Array("\"\"".utf8)
        switch special {
        case .savePoints:
            if value.numbers.isEmpty { return .lines([(start + empty, true)]) }
            let starts = stride(from: 0, to: value.numbers.count - 1, by: 2)
            return .lines(
                starts.map { (start + Array("\(value.numbers[$0]) \(value.numbers[$0 + 1])".utf8), true) })
        case .outputBufferLimits:
            return .lines(outputBufferLimitLines(value.numbers, standard: standard.numbers))
        case .oomScores:
            return .lines([(start + text(of: value), value != standard)])
        case .keyspaceEvents:
            return .lines([(start + ConfigText.quoted(text(of: value)), value != standard)])
        case .addresses:
            if value == standard { return .none }
            return .lines([(start + (value.texts.isEmpty ? empty : words(value.texts)), true)])
        case .replicaOf:
            return value.texts.isEmpty ? .none : .lines([(start + words(value.texts), true)])
        case .percentiles:
            return .lines([(start + (value.reals.isEmpty ? empty : text(of: value)), true)])
        case .directory:
            return value.text.isEmpty ? .none : .lines([(start + ConfigText.quoted(value.text), true)])
        case .unsupported:
            return .none
        }
    }

    /// Arguments for a line, quoted only where plain writing would not come back. A single one is read twice by the
    /// loader (it may carry a whole list), so it is quoted twice.
    private func words(_ texts: [[UInt8]]) -> [UInt8] {
        func isPlain(_ text: [UInt8]) -> Bool {
            !text.isEmpty && text.allSatisfy { $0 > 32 && $0 < 127 && $0 != 34 && $0 != 39 }
        }
        let words = texts.map { isPlain($0) ? $0 : ConfigText.quoted($0) }
        if texts.count == 1, !isPlain(texts[0]) { return ConfigText.quoted(words[0]) }
        return Array(words.joined(separator: [32]))
    }

    private func outputBufferLimitLines(
        _ limits: [Int64], standard: [Int64]
    ) -> [(text: [UInt8], isForced: Bool)] {
        zip(["normal", "replica", "pubsub"], stride(from: 0, to: limits.count - 2, by: 3)).map { client, start in
            let hard = ConfigNumber.memoryText(limits[start])
            let soft = ConfigNumber.memoryText(limits[start + 1])
            let isForced = start + 2 >= standard.count || limits[start...start + 2] != standard[start...start + 2]
            return (Array("\(name) \(client) \(hard) \(soft) \(limits[start + 2])".utf8), isForced)
        }
    }
}

extension Directive.Number {
    var isMemory: Bool {
        unit == .memory || unit == .memoryOrPercent || unit == .signedMemory || unit == .memoryOrAuto
    }

    /// A percentage with its sign, an octal number in octal, bytes unsigned.
    func text(of value: Int64) -> String {
        switch unit {
        case .plain, .signedMemory: String(value)
        case .octal: String(UInt64(bitPattern: value), radix: 8)
        case .memory: String(UInt64(bitPattern: value))
        case .memoryOrAuto: value == Directive.Number.automatic ? "auto" : String(UInt64(bitPattern: value))
        case .memoryOrPercent: value < 0 ? "\(value.magnitude)%" : String(value)
        }
    }
}

extension Directive.Choices {
    /// The name of the value; for a bit set the names of its bits, in the table's order.
    func text(of value: Int64) -> String {
        if let exact = names.first(where: { $0.value == value }) { return exact.name }
        guard isBitSet else { return "unknown" }
        return names.filter { $0.value != 0 && $0.value & value == $0.value }.map(\.name).joined(separator: " ")
    }
}
