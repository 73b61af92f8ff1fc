// ClassRecord.swift - a class of data between its words in FOG.CLASS SET, the fields of its record
// `fog:class:<name>`, and what the engine takes. A record may be written by anybody with HSET, so reading one bounds
// every number. Pure.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import Structures

enum ClassRecord {
    private static let nameByteCountMax = 128
    private static let patternByteCountMax = 512

    // MARK: words

    /// From the words behind the name.
    static func parse(_ name: Span<UInt8>, _ words: inout Options) throws(CommandError) -> DataClass {
        guard !name.isEmpty, name.count <= nameByteCountMax else {
            throw .message("ERR a class is named by 1 to 128 bytes")
        }
        guard words.take("PATTERN", values: 1) else { throw .syntax }
        let pattern = try words.next()
        guard !pattern.isEmpty, pattern.count <= patternByteCountMax else {
            throw .message("ERR a pattern has 1 to 512 bytes")
        }
        var item = DataClass(name: name.array, pattern: pattern.array)
        while !words.isAtEnd {
            if words.take("TTL", values: 1) {
                item.limits.lifeMilliseconds = try seconds(&words)
            } else if words.take("MAXTTL", values: 1) {
                item.limits.lifeMillisecondsMax = try seconds(&words)
            } else if words.take("JITTER", values: 1) {
                item.limits.jitterPercent = try words.integer(
                    in: 0...ClassLimits.jitterPercentMax, otherwise: .message("ERR JITTER is 0 to 90 per cent"))
            } else if words.take("MAXMEM", values: 1) {
                guard let bytes = ConfigNumber.memory(try words.next().array, saturates: false), bytes < 1 << 62 else {
                    throw .message("ERR MAXMEM is a number of bytes, with a unit if you like: 100mb")
                }
                item.limits.byteCountMax = Int(bytes)
            } else if words.take("POLICY", values: 1) {
                item.limits.policy = try policy(&words)
            } else if words.take("PRIORITY", values: 1) {
                item.priority = try words.integer(
                    in: -1000...1000, otherwise: .message("ERR PRIORITY is -1000 to 1000"))
            } else {
                guard try takeWish(&item.wish, &words) else { throw .syntax }
            }
        }
        let limits = item.limits
        if limits.lifeMillisecondsMax > 0 && limits.lifeMilliseconds > limits.lifeMillisecondsMax {
            throw .message("ERR TTL cannot be greater than MAXTTL")
        }
        return item
    }

    private static func policy(_ words: inout Options) throws(CommandError) -> MaxmemoryPolicy {
        guard let policy = MaxmemoryPolicy.named(try words.next()) else {
            throw .message("ERR POLICY is a maxmemory-policy: allkeys-lru, volatile-ttl, noeviction or another")
        }
        if policy.isLRM { throw .message("ERR POLICY cannot be an lrm one: a class has no order by modification") }
        return policy
    }

    /// A word about tiers with its value; false when the next one is none.
    private static func takeWish(_ wish: inout TierWish, _ words: inout Options) throws(CommandError) -> Bool {
        if words.take("L1", values: 1) {
            wish.keepsRaw = try yes(&words)
        } else if words.take("L1TTL", values: 1) {
            wish.rawSeconds = Int(try seconds(&words) / 1000)
        } else if words.take("L3", values: 1) {
            wish.usesDisk = try yes(&words)
        } else if words.take("COMPRESS", values: 1) {
            let word = try words.next().array.map { $0 | 0x20 }
            guard setCompression(word.span, &wish) else {
                throw .message("ERR COMPRESS is yes, no, auto, lz4 or zstd")
            }
        } else {
            return false
        }
        return true
    }

    private static func yes(_ words: inout Options) throws(CommandError) -> Bool {
        if words.take("YES") { return true }
        guard words.take("NO") else { throw .message("ERR L1 and L3 are yes or no") }
        return false
    }

    /// Of a lower-case word; false when it is none.
    private static func setCompression(_ word: Span<UInt8>, _ wish: inout TierWish) -> Bool {
        if word.equals("no") {
            wish.compresses = false
        } else if word.equals("yes") {
            wish.compresses = true
        } else {
            let choice = CompressionChoice.allCases.first { Array($0.rawValue.utf8).span.equals(word) }
            guard let choice else { return false }
            (wish.compresses, wish.choice) = (true, choice)
        }
        return true
    }

    private static func seconds(_ words: inout Options) throws(CommandError) -> Int64 {
        let value = try words.integer(
            in: 0...ClassLimits.lifeSecondsMax,
            otherwise: .message("ERR a time to live is 0 to 10000000000 seconds"))
        return Int64(value) * 1000
    }

    // MARK: fields

    /// All fields, those that are off included, so that a class that is set again keeps nothing of what it was.
    static func write(_ item: DataClass, to fields: inout RecordFields) {
        // A view of another module's stored property is none that outlives the expression.
        let pattern = item.pattern
        fields.add("pattern", pattern.span)
        fields.add("ttl", decimal: item.limits.lifeMilliseconds / 1000)
        fields.add("maxttl", decimal: item.limits.lifeMillisecondsMax / 1000)
        fields.add("jitter", decimal: Int64(item.limits.jitterPercent))
        fields.add("maxmem", decimal: Int64(item.limits.byteCountMax))
        // As above: the bytes need a place of their own.
        let policy = Array((item.limits.policy?.rawValue ?? "default").utf8)
        fields.add("policy", policy.span)
        fields.add("priority", decimal: Int64(item.priority))
        let wish = item.wish
        fields.add("l1", text: name(wish.keepsRaw))
        fields.add("l1ttl", decimal: Int64(wish.rawSeconds ?? -1))
        fields.add("compress", text: wish.choice.map(name) ?? name(wish.compresses))
        fields.add("l3", text: name(wish.usesDisk))
    }

    private static func name(_ wish: Bool?) -> StaticString { wish.map { $0 ? "yes" : "no" } ?? "default" }

    private static func name(_ choice: CompressionChoice) -> StaticString {
        switch choice {
        case .auto: "auto"
        case .lz4: "lz4"
        case .zstd: "zstd"
        }
    }

    /// What a record says; nil when it has no pattern.
    static func read(_ name: Span<UInt8>, _ entry: Entry, now: Int64) -> DataClass? {
        guard let value = entry.fieldValue(patternField.span, now: now) else { return nil }
        let pattern = value.withText { $0.array }
        guard !pattern.isEmpty else { return nil }
        var item = DataClass(name: name.array, pattern: pattern)
        entry.forEachField(now: now) { field, value, _ in
            guard let number = value.integerValue else {
                return field.withText { name in value.withText { readWord($0, of: name, &item) } }
            }
            field.withText { text in
                if text.equals("ttl") {
                    item.limits.lifeMilliseconds = seconds(number)
                } else if text.equals("maxttl") {
                    item.limits.lifeMillisecondsMax = seconds(number)
                } else if text.equals("jitter") {
                    item.limits.jitterPercent = Int(max(0, min(Int64(ClassLimits.jitterPercentMax), number)))
                } else if text.equals("maxmem") {
                    item.limits.byteCountMax = Int(max(0, min(1 << 62, number)))
                } else if text.equals("priority") {
                    item.priority = Int(max(-1000, min(1000, number)))
                } else if text.equals("l1ttl") {
                    item.wish.rawSeconds = number < 0 ? nil : Int(seconds(number) / 1000)
                }
            }
        }
        return item
    }

    /// What is no word of the field leaves it to the configuration.
    private static func readWord(_ word: Span<UInt8>, of field: Span<UInt8>, _ item: inout DataClass) {
        let isYes = word.equals("yes")
        if field.equals("compress") {
            _ = setCompression(word, &item.wish)
        } else if field.equals("policy") {
            let policy = MaxmemoryPolicy.named(word)
            item.limits.policy = policy?.isLRM == true ? nil : policy
        } else if isYes || word.equals("no") {
            if field.equals("l1") { item.wish.keepsRaw = isYes }
            if field.equals("l3") { item.wish.usesDisk = isYes }
        }
    }

    private static let patternField: [UInt8] = Array("pattern".utf8)

    private static func seconds(_ number: Int64) -> Int64 {
        max(0, min(Int64(ClassLimits.lifeSecondsMax), number)) * 1000
    }
}
