// Directive+Special.swift - reading and printing the directives with a grammar of their own: save points, buffer
// limits, addresses, percentiles and their like. Same contract as Directive+Parse.swift; C's habit of cutting numbers
// to 32 bits is kept where a client can see it.

extension Directive {
    /// Most addresses that `bind` takes.
    static let addressesMax = 16

    func parseSpecial(
        _ special: Special, _ arguments: [[UInt8]], current: ConfigValue, isAddition: Bool
    ) throws(ConfigRefusal) -> ConfigValue {
        switch special {
        case .savePoints: try parseSavePoints(arguments, current: isAddition ? current.numbers : [])
        case .outputBufferLimits: try parseOutputBufferLimits(arguments, current: current.numbers)
        case .oomScores: try parseOOMScores(arguments)
        case .keyspaceEvents: try parseKeyspaceEvents(arguments)
        case .addresses: try parseAddresses(arguments)
        case .replicaOf: try parseReplicaOf(arguments)
        case .percentiles: try parsePercentiles(arguments)
        case .directory: .text(ConfigText.beforeNul(arguments.first ?? []))
        case .unsupported(let reason): throw ConfigRefusal(reason)
        }
    }

    /// One empty argument clears the list, even when points are being added.
    private func parseSavePoints(_ arguments: [[UInt8]], current: [Int64]) throws(ConfigRefusal) -> ConfigValue {
        if arguments == [[]] { return .numbers([]) }
        var points = current
        for (position, argument) in arguments.enumerated() {
            let isSeconds = position % 2 == 0
            guard arguments.count % 2 == 0, let (value, _) = ConfigNumber.saturating(argument),
                value >= (isSeconds ? 1 : 0)
            else { throw ConfigRefusal("Invalid save parameters") }
            points.append(isSeconds ? value : Int64(Int32(truncatingIfNeeded: value)))
        }
        return .numbers(points)
    }

    /// Groups of class, hard limit, soft limit, soft seconds; classes that are not named keep their limits.
    private func parseOutputBufferLimits(
        _ arguments: [[UInt8]], current: [Int64]
    ) throws(ConfigRefusal) -> ConfigValue {
        guard arguments.count % 4 == 0 else {
            throw ConfigRefusal("Wrong number of arguments in buffer limit configuration.")
        }
        var limits = current
        for start in stride(from: 0, to: arguments.count, by: 4) {
            let position = outputBufferClass(arguments[start])
            guard let position, position + 2 < limits.count else {
                throw ConfigRefusal("Invalid client class specified in buffer limit configuration.")
            }
            let seconds = ConfigNumber.saturating(arguments[start + 3]).map { Int32(truncatingIfNeeded: $0.value) }
            guard let hard = ConfigNumber.memory(arguments[start + 1]),
                let soft = ConfigNumber.memory(arguments[start + 2]), let seconds, seconds >= 0
            else {
                throw ConfigRefusal("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
            }
            limits[position] = Int64(bitPattern: hard)
            limits[position + 1] = Int64(bitPattern: soft)
            limits[position + 2] = Int64(seconds)
        }
        return .numbers(limits)
    }

    /// Where a class's three numbers start.
    private func outputBufferClass(_ argument: [UInt8]) -> Int? {
        switch ConfigText.string(ConfigText.lowercased(ConfigText.beforeNul(argument))) {
        case "normal": 0
        case "slave", "replica": 3
        case "pubsub": 6
        default: nil
        }
    }

    private func parseOOMScores(_ arguments: [[UInt8]]) throws(ConfigRefusal) -> ConfigValue {
        guard arguments.count == 3 else { throw ConfigRefusal("wrong number of arguments") }
        var scores: [Int64] = []
        for argument in arguments {
            guard let (value, _) = ConfigNumber.saturating(argument), value >= -2000, value <= 2000 else {
                throw ConfigRefusal("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")
            }
            scores.append(value)
        }
        return .numbers(scores)
    }

    private func parseKeyspaceEvents(_ arguments: [[UInt8]]) throws(ConfigRefusal) -> ConfigValue {
        let letters = ConfigText.beforeNul(arguments.first ?? [])
        guard let classes = KeyspaceEventClasses(letters: letters) else {
            throw ConfigRefusal("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
        }
        return .number(Int64(classes.rawValue))
    }

    private func parseAddresses(_ arguments: [[UInt8]]) throws(ConfigRefusal) -> ConfigValue {
        guard arguments.count <= Directive.addressesMax else {
            throw ConfigRefusal("Too many bind addresses specified.")
        }
        return .texts(arguments == [[]] ? [] : arguments.map { ConfigText.beforeNul($0) })
    }

    private func parseReplicaOf(_ arguments: [[UInt8]]) throws(ConfigRefusal) -> ConfigValue {
        guard arguments.count == 2 else { throw ConfigRefusal("wrong number of arguments") }
        let (host, port) = (ConfigText.beforeNul(arguments[0]), arguments[1])
        if ConfigText.equalsIgnoringCase(host, "no"), ConfigText.equalsIgnoringCase(port, "one") { return .texts([]) }
        guard let number = ConfigNumber.saturating(port).map({ Int32(truncatingIfNeeded: $0.value) }),
            number >= 0, number <= 65_535
        else { throw ConfigRefusal("Invalid master port") }
        return .texts([host, Array(String(number).utf8)])
    }

    private func parsePercentiles(_ arguments: [[UInt8]]) throws(ConfigRefusal) -> ConfigValue {
        if arguments == [[]] { return .reals([]) }
        var percentiles: [Double] = []
        for argument in arguments {
            guard let value = ConfigNumber.real(argument) else {
                throw ConfigRefusal("Invalid latency-tracking-info-percentiles parameters")
            }
            guard value >= 0, value <= 100 else {
                throw ConfigRefusal("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]")
            }
            percentiles.append(value)
        }
        return .reals(percentiles)
    }
}
