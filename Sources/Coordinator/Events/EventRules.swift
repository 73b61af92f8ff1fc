// EventRules.swift - which keys an event makes invalid: templates by the event's type. A template is a key with names
// in braces that stand for what the event says: {resource}, {id} (the same), {node}, {old}, {new}. What the event does
// not say matches anything, so the template then is a pattern; so is one that was written as a pattern. What an event
// says stands for itself, whatever characters it holds. Pure.
internal import Base

/// What an event says, for templates.
struct EventWords {
    var resource: [UInt8] = []
    var node: [UInt8]?
    var old: [UInt8]?
    var new: [UInt8]?
}

/// A template filled in.
struct EventTarget: Equatable {
    var text: [UInt8]
    /// Whether `text` is a pattern, not a key.
    var isPattern: Bool
}

enum EventRules {
    /// What is so unless a rule of the type was set.
    static func standard(_ type: Span<UInt8>) -> [StaticString] {
        if type.equals(EventType.vmStateChanged.name) { return ["vm:state:{id}", "vm:metrics:{id}"] }
        if type.equals(EventType.vmCreated.name) { return ["node:vms:{node}", "node:resources:{node}"] }
        if type.equals(EventType.vmDeleted.name) {
            return [
                "vm:state:{id}", "vm:resources:{id}", "vm:migration:{id}", "vm:metrics:{id}", "vm:config:{id}",
                "node:vms:{node}", "node:resources:{node}",
            ]
        }
        if type.equals(EventType.vmResourceChanged.name) { return ["vm:resources:{id}", "node:resources:{node}"] }
        if type.equals(EventType.nodeInvalidated.name) { return ["node:resources:{resource}", "node:vms:{resource}"] }
        if type.equals(EventType.clusterInvalidated.name) {
            return ["vm:*", "node:resources:*", "node:vms:*", "user:vms:*", "cluster:*"]
        }
        return []
    }

    /// The types that have rules of their own from the start.
    static let standardTypes: [EventType] = [
        .clusterInvalidated, .nodeInvalidated, .vmCreated, .vmDeleted, .vmResourceChanged, .vmStateChanged,
    ]

    /// `template` with the event's words in their places.
    static func fill(_ template: Span<UInt8>, _ words: EventWords) -> EventTarget {
        var plain = ByteBuffer()
        var pattern = ByteBuffer()
        var isPattern = false
        var index = 0
        while index < template.count {
            let byte = template[index]
            if byte == UInt8(ascii: "{"), let end = closing(template, from: index),
                let known = word(template.extracting((index + 1)..<end), words)
            {
                switch known {
                case .some(let text):
                    plain.append(text)
                    for byte in text { append(literal: byte, to: &pattern) }
                case .none:
                    isPattern = true
                    pattern.append(UInt8(ascii: "*"))
                }
                index = end + 1
                continue
            }
            if byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "[") { isPattern = true }
            plain.append(byte)
            pattern.append(byte)
            index += 1
        }
        return EventTarget(text: isPattern ? pattern.span.array : plain.span.array, isPattern: isPattern)
    }

    private static func closing(_ template: Span<UInt8>, from start: Int) -> Int? {
        var index = start + 1
        while index < template.count {
            if template[index] == UInt8(ascii: "}") { return index }
            index += 1
        }
        return nil
    }

    /// What a name stands for: nil when it is no name, a nil inside when the event does not say it.
    private static func word(_ name: Span<UInt8>, _ words: EventWords) -> [UInt8]?? {
        if name.equals("resource") || name.equals("id") { return .some(words.resource) }
        if name.equals("node") { return .some(words.node) }
        if name.equals("old") { return .some(words.old) }
        if name.equals("new") { return .some(words.new) }
        return nil
    }

    private static func append(literal byte: UInt8, to pattern: inout ByteBuffer) {
        switch byte {
        case UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "\\"):
            pattern.append(UInt8(ascii: "\\"))
        default: break
        }
        pattern.append(byte)
    }

    // MARK: rules as they are kept: a field's value is its templates with blanks between them

    static func join(_ templates: [[UInt8]]) -> [UInt8] { Array(templates.joined(separator: [UInt8(ascii: " ")])) }

    static func split(_ text: [UInt8]) -> [[UInt8]] {
        text.split(separator: UInt8(ascii: " ")).map { Array($0) }
    }
}
