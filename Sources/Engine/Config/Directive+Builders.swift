// Directive+Builders.swift - the forms in which a directive is declared, one function per kind, so that the tables
// under Directives/ read as one line each: name, default, what is allowed, flags, aliases, the `Settings` field.
// A directive that fits none of them calls `Directive.init` itself.

/// Copies a value into its field of `Settings`.
typealias SettingsField<Value> = @Sendable (inout Settings, Value) -> Void

extension Directive {
    static func boolean(
        _ name: String, _ isOn: Bool, _ flags: Flags = [], alias: String? = nil,
        _ field: SettingsField<Bool>? = nil
    ) -> Directive {
        Directive(
            name, alias.map { [$0] } ?? [], .boolean, flags, .number(isOn ? 1 : 0),
            store: { settings, value in field?(&settings, value.number != 0) })
    }

    /// A plain signed number.
    static func integer(
        _ name: String, _ value: Int, _ bounds: ClosedRange<Int>, _ flags: Flags = [], alias: String? = nil,
        _ field: SettingsField<Int>? = nil
    ) -> Directive {
        number(name, value, .plain, false, bounds.lowerBound, bounds.upperBound, flags, alias, field)
    }

    /// A plain unsigned number: negative text is refused with the bounds, not as a negative number.
    static func unsigned(
        _ name: String, _ value: Int, _ bounds: ClosedRange<Int>, _ flags: Flags = [], alias: String? = nil,
        _ field: SettingsField<Int>? = nil
    ) -> Directive {
        number(name, value, .plain, true, bounds.lowerBound, bounds.upperBound, flags, alias, field)
    }

    /// A byte count with an optional unit.
    static func memory(
        _ name: String, _ value: Int, _ bounds: ClosedRange<Int>, _ flags: Flags = [], alias: String? = nil,
        _ field: SettingsField<Int>? = nil
    ) -> Directive {
        number(name, value, .memory, false, bounds.lowerBound, bounds.upperBound, flags, alias, field)
    }

    /// A byte count compared as an unsigned number.
    static func unsignedMemory(
        _ name: String, _ value: Int, _ bounds: ClosedRange<Int>, _ flags: Flags = [], alias: String? = nil,
        _ field: SettingsField<Int>? = nil
    ) -> Directive {
        number(name, value, .memory, true, bounds.lowerBound, bounds.upperBound, flags, alias, field)
    }

    /// Any 64-bit unsigned number; the `Settings` field holds at most `Int.max`.
    static func unbounded(
        _ name: String, _ value: Int, _ unit: Number.Unit, _ flags: Flags = [],
        _ field: SettingsField<Int>? = nil
    ) -> Directive {
        number(name, value, unit, true, 0, -1, flags, nil, field)
    }

    static func number(
        _ name: String, _ value: Int, _ unit: Number.Unit, _ isUnsigned: Bool, _ lower: Int, _ upper: Int,
        _ flags: Flags, _ alias: String?, _ field: SettingsField<Int>? = nil
    ) -> Directive {
        let number = Number(unit: unit, isUnsigned: isUnsigned, lower: Int64(lower), upper: Int64(upper))
        return Directive(
            name, alias.map { [$0] } ?? [], .number(number), flags, .number(Int64(value)),
            store: { settings, value in
                field?(&settings, isUnsigned && value.number < 0 ? .max : Int(value.number))
            })
    }

    /// One of an enum's names.
    static func choice<Choice: ConfigChoice>(
        _ name: String, _ value: Choice, _ flags: Flags = [],
        _ field: SettingsField<Choice>? = nil
    ) -> Directive {
        let all = ContiguousArray(Choice.allCases)
        let names = all.enumerated().map { (name: $1.rawValue, value: Int64($0)) }
        let position = all.firstIndex { $0.rawValue == value.rawValue } ?? 0
        return Directive(
            name, [], .choice(Choices(names: names, isBitSet: false)), flags, .number(Int64(position)),
            store: { settings, value in
                let index = Int(value.number)
                if all.indices.contains(index) { field?(&settings, all[index]) }
            })
    }

    /// One of some names that `Settings` does not carry. Two names may share a number; the first of them is shown.
    static func name(
        _ name: String, of names: KeyValuePairs<String, Int64>, default value: Int64 = 0, _ flags: Flags = []
    ) -> Directive {
        let list = names.map { (name: $0.key, value: $0.value) }
        return Directive(name, [], .choice(Choices(names: list, isBitSet: false)), flags, .number(value))
    }

    /// How a signal shuts the server down: a set of names.
    static func shutdownFlags(
        _ name: String, _ field: @escaping SettingsField<ShutdownFlags>
    ) -> Directive {
        let names: [(name: String, value: Int64)] = [
            ("default", 0), ("save", Int64(ShutdownFlags.save.rawValue)),
            ("nosave", Int64(ShutdownFlags.noSave.rawValue)),
            ("now", Int64(ShutdownFlags.now.rawValue)), ("force", Int64(ShutdownFlags.force.rawValue)),
        ]
        return Directive(
            name, [], .choice(Choices(names: names, isBitSet: true)), [], .number(0),
            check: { value in
                ShutdownFlags(rawValue: Int(value.number)).isSuperset(of: [.save, .noSave])
                    ? "shutdown options SAVE and NOSAVE can't be used simultaneously" : nil
            },
            store: { field(&$0, ShutdownFlags(rawValue: Int($1.number))) })
    }

    /// A text whose empty value is a value like any other.
    static func text(
        _ name: String, _ value: String, _ flags: Flags = [], check: (@Sendable ([UInt8]) -> String?)? = nil
    ) -> Directive {
        Directive(
            name, [], .text(isBinary: false, isUnsetWhenEmpty: false), flags, .text(Array(value.utf8)),
            check: { check?($0.text) })
    }

    /// A text that is unset while empty.
    static func optionalText(
        _ name: String, _ flags: Flags = [], alias: String? = nil, isBinary: Bool = false,
        check: (@Sendable ([UInt8]) -> String?)? = nil
    ) -> Directive {
        Directive(
            name, alias.map { [$0] } ?? [], .text(isBinary: isBinary, isUnsetWhenEmpty: true), flags, .text([]),
            check: { $0.text.isEmpty ? nil : check?($0.text) })
    }

    /// A number with decimals. It is kept, and shown, as it was written.
    static func real(
        _ name: String, _ value: Double, _ bounds: ClosedRange<Double>, _ field: @escaping SettingsField<Double>
    ) -> Directive {
        Directive(
            name, [], .text(isBinary: false, isUnsetWhenEmpty: false), [], .text(Array("\(value)".utf8)),
            check: { text in
                guard let number = ConfigNumber.real(text.text), bounds.contains(number) else {
                    return "argument must be a number between \(bounds.lowerBound) and \(bounds.upperBound)"
                }
                return nil
            },
            store: { settings, text in
                if let number = ConfigNumber.real(text.text) { field(&settings, number) }
            })
    }

    static func special(
        _ name: String, _ special: Special, _ value: ConfigValue, _ flags: Flags = [], alias: String? = nil,
        store: (@Sendable (inout Settings, ConfigValue) -> Void)? = nil
    ) -> Directive {
        Directive(name, alias.map { [$0] } ?? [], .special(special), flags, value, store: store)
    }
}
