// Directive+Parse.swift - from arguments to a value, for a line of a file and for CONFIG SET alike. Order of the tests
// and texts of the refusals are Redis'. Pure: what needs the outside world (`dir`) is done by the caller.
// A refusal carries only its reason; the caller adds the directive's name or the line.

extension Directive {
    /// The value that `arguments` mean. `current` is what the directive holds now (some lists are updated in part);
    /// `isAddition` lets a repeated `save` line add to the points read before.
    func parse(
        _ arguments: [[UInt8]], current: ConfigValue, isAddition: Bool = false
    ) throws(ConfigRefusal) -> ConfigValue {
        let value: ConfigValue
        switch kind {
        case .boolean: value = try parseBoolean(arguments)
        case .number(let number): value = try parseNumber(arguments, number)
        case .choice(let choices): value = try parseChoice(arguments, choices)
        case .text(let isBinary, _):
            let text = arguments.first ?? []
            value = .text(isBinary ? text : ConfigText.beforeNul(text))
        case .special(let special):
            value = try parseSpecial(special, arguments, current: current, isAddition: isAddition)
        }
        if let reason = check?(value) { throw ConfigRefusal(reason) }
        return value
    }

    private func parseBoolean(_ arguments: [[UInt8]]) throws(ConfigRefusal) -> ConfigValue {
        let text = ConfigText.beforeNul(arguments.first ?? [])
        if ConfigText.equalsIgnoringCase(text, "yes") { return .number(1) }
        if ConfigText.equalsIgnoringCase(text, "no") { return .number(0) }
        throw ConfigRefusal("argument must be 'yes' or 'no'")
    }

    private func parseChoice(_ arguments: [[UInt8]], _ choices: Choices) throws(ConfigRefusal) -> ConfigValue {
        var value: Int64 = 0
        var isKnown = !arguments.isEmpty && (choices.isBitSet || arguments.count == 1)
        for argument in arguments {
            let text = ConfigText.beforeNul(argument)
            if let found = choices.names.first(where: { ConfigText.equalsIgnoringCase(text, $0.name) }) {
                value |= found.value
            } else {
                isKnown = false
            }
        }
        guard isKnown else {
            let names = choices.names.map(\.name).joined(separator: ", ")
            throw ConfigRefusal("argument(s) must be one of the following: " + names)
        }
        return .number(value)
    }

    private func parseNumber(_ arguments: [[UInt8]], _ number: Number) throws(ConfigRefusal) -> ConfigValue {
        guard let value = number.read(arguments.first ?? []) else {
            throw switch number.unit {
            case .plain: ConfigRefusal("argument couldn't be parsed into an integer")
            case .memory, .signedMemory, .memoryOrAuto: ConfigRefusal("argument must be a memory value")
            case .memoryOrPercent: ConfigRefusal("argument must be a memory or percent value")
            case .octal: ConfigRefusal("argument couldn't be parsed as an octal number")
            }
        }
        if let reason = number.boundsRefusal(value) { throw ConfigRefusal(reason) }
        return .number(value)
    }
}

extension Directive.Number {
    /// The number that the text spells, bounds aside. A percentage comes back negative.
    func read(_ text: [UInt8]) -> Int64? {
        switch unit {
        case .plain:
            return ConfigNumber.integer(text)
        case .memory:
            return ConfigNumber.memory(text).map { Int64(bitPattern: $0) }
        case .memoryOrAuto:
            if ConfigText.equalsIgnoringCase(text, "auto") { return Directive.Number.automatic }
            return ConfigNumber.memory(text).map { Int64(bitPattern: $0) }
        case .octal:
            guard let (value, isExact) = ConfigNumber.saturating(text, radix: 8), isExact else { return nil }
            return value
        case .signedMemory:
            if let bytes = ConfigNumber.memory(text, saturates: false) { return Int64(bitPattern: bytes) }
            return ConfigNumber.integer(text)
        case .memoryOrPercent:
            if let bytes = ConfigNumber.memory(text) { return Int64(bitPattern: bytes) }
            guard text.count > 1, text.last == UInt8(ascii: "%"),
                let percent = ConfigNumber.integer(Array(text.dropLast())), percent >= 0
            else { return nil }
            return -percent
        }
    }

    /// nil when the value is within the bounds.
    func boundsRefusal(_ value: Int64) -> String? {
        if isUnsigned {
            let (low, high) = (UInt64(bitPattern: lower), UInt64(bitPattern: upper))
            if UInt64(bitPattern: value) >= low && UInt64(bitPattern: value) <= high { return nil }
            let radix = unit == .octal ? 8 : 10
            return "argument must be between \(String(low, radix: radix)) and \(String(high, radix: radix)) inclusive"
        }
        if unit == .memoryOrPercent && value < 0 {
            return value < lower ? "percentage argument must be less or equal to \(lower.magnitude)" : nil
        }
        if value >= lower && value <= upper { return nil }
        return "argument must be between \(lower) and \(upper) inclusive"
    }
}
