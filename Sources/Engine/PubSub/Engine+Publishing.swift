// Engine+Publishing.swift - a message's way to its subscribers. Its frame is written once per loop that has any, behind
// the loop's other frames (`SharedBytes`); a subscriber gets the place of its frame, not its bytes, and frames that lie
// side by side become one write. So a message costs a subscriber two or three words here and nothing is copied for it.
// A channel that nobody listens to costs one lookup and no memory. Under the turn.
internal import Base
internal import RESP

extension Engine {
    /// Sends a message to the channel's subscribers and to those of patterns that match it. Returns how many got it.
    package mutating func publish(_ channel: Span<UInt8>, _ payload: Span<UInt8>) -> Int {
        var receiverCount = 0
        if !pubsub.channels.isEmpty, let number = pubsub.channels.find(channel, hash: NameTable.hash(channel)) {
            receiverCount = post("message", nil, channel, payload, to: pubsub.channels.subscribers(number))
        }
        if !pubsub.patternIndex.isEmpty { receiverCount += publishToPatterns(channel, payload) }
        return receiverCount
    }

    /// As `publish`, for a shard channel, which patterns do not see.
    package mutating func publishToShard(_ channel: Span<UInt8>, _ payload: Span<UInt8>) -> Int {
        guard !pubsub.shardChannels.isEmpty,
            let number = pubsub.shardChannels.find(channel, hash: NameTable.hash(channel))
        else { return 0 }
        return post("smessage", nil, channel, payload, to: pubsub.shardChannels.subscribers(number))
    }

    /// Clients that listen to a channel by its name, plain or shard.
    package func subscriberCount(of channel: Span<UInt8>) -> Int {
        let hash = NameTable.hash(channel)
        let plain = pubsub.channels.find(channel, hash: hash).map { pubsub.channels.subscriberCount($0) } ?? 0
        let shard = pubsub.shardChannels.find(channel, hash: hash).map { pubsub.shardChannels.subscriberCount($0) } ?? 0
        return plain + shard
    }

    private mutating func publishToPatterns(_ channel: Span<UInt8>, _ payload: Span<UInt8>) -> Int {
        pubsub.patternIndex.appendCandidates(for: channel, to: &pubsub.candidates)
        if pubsub.candidates.isEmpty { return 0 }
        var receiverCount = 0
        for index in 0..<pubsub.candidates.count {
            let number = pubsub.candidates[index]
            let pattern = pubsub.patterns.names.name(number)
            if Glob.matches(pattern: pattern.span, text: channel) {
                receiverCount += post(
                    "pmessage", pattern, channel, payload, to: pubsub.patterns.subscribers(number))
            }
        }
        pubsub.candidates.removeAll(keepingCapacity: pubsub.candidates.count <= 1024)
        return receiverCount
    }

    /// Puts the message into the mail of all these.
    private mutating func post(
        _ event: StaticString, _ pattern: [UInt8]?, _ channel: Span<UInt8>, _ payload: Span<UInt8>,
        to subscribers: [SessionReference]
    ) -> Int {
        pubsub.messageSerial &+= 1
        let serial = pubsub.messageSerial
        for session in subscribers {
            if session.session.gates.contains(.killed) { continue }
            let isRESP3 = session.session.protocolVersion >= 3
            let port = loops[session.session.loop]
            var range = port.state.frame(serial, isRESP3: isRESP3)
            if range.isEmpty {
                range = port.state.writeFrame(serial, isRESP3: isRESP3) { buffer in
                    PubSubFrame.write(event, pattern, channel, payload, isRESP3: isRESP3, to: &buffer)
                }
            }
            deliver(range, to: session, port)
        }
        return subscribers.count
    }
}

/// Messages as subscribers read them.
enum PubSubFrame {
    static func write(
        _ event: StaticString, _ pattern: [UInt8]?, _ channel: Span<UInt8>, _ payload: Span<UInt8>, isRESP3: Bool,
        to buffer: inout ByteBuffer
    ) {
        buffer.reserve(channel.count + payload.count + 96)
        begin(event, elementCount: pattern == nil ? 3 : 4, isRESP3: isRESP3, to: &buffer)
        if let pattern { append(pattern.span, to: &buffer) }
        append(channel, to: &buffer)
        append(payload, to: &buffer)
    }

    /// The head of a frame and its first element.
    static func begin(_ event: StaticString, elementCount: Int, isRESP3: Bool, to buffer: inout ByteBuffer) {
        buffer.append(isRESP3 ? UInt8(ascii: ">") : UInt8(ascii: "*"))
        buffer.append(decimal: elementCount)
        buffer.append("\r\n$")
        buffer.append(decimal: event.utf8CodeUnitCount)
        buffer.append("\r\n")
        buffer.append(event)
        buffer.append("\r\n")
    }

    static func append(_ bytes: Span<UInt8>, to buffer: inout ByteBuffer) {
        buffer.append("$")
        buffer.append(decimal: bytes.count)
        buffer.append("\r\n")
        buffer.append(bytes)
        buffer.append("\r\n")
    }
}

extension Call {
    /// PUBLISH: how many clients got the message.
    package func publish(channel: Span<UInt8>, message: Span<UInt8>) -> Int {
        administration.publish(channel, message)
    }

    /// SPUBLISH.
    package func publishToShard(channel: Span<UInt8>, message: Span<UInt8>) -> Int {
        administration.publishToShard(channel, message)
    }
}
