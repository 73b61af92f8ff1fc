// TestClient.swift - a blocking client of one connection, for tests: it sends command lines as redis-cli does, or raw
// bytes, and reads reply trees. Every wait ends after `timeoutMilliseconds` with an error that says what was awaited.
// One thread at a time.
package import Base
internal import CLinux

/// What went wrong between a test and its server.
package enum ClientFailure: Error, CustomStringConvertible {
    case system(SystemError)
    case closed(during: String)
    case timedOut(during: String)
    case malformed(ReplyReader.Malformed)
    case unbalancedQuotes(String)

    package var description: String {
        switch self {
        case .system(let error): error.description
        case .closed(let during): "the server closed the connection during: \(during)"
        case .timedOut(let during): "no reply in time to: \(during)"
        case .malformed(let malformed): malformed.description
        case .unbalancedQuotes(let line): "unbalanced quotes in the test's line: \(line)"
        }
    }
}

package final class TestClient {
    /// Longest wait for a reply or for the connection's end.
    package var timeoutMilliseconds: Int32 = 10_000
    package let descriptor: Int32
    private var reader = ReplyReader()
    private var isClosed = false

    /// Connects to a port of this machine.
    package init(port: Int) throws(ClientFailure) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system(SystemError(operation: "socket")) }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
        name.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let result = unsafe fog_connect(descriptor, &name, socklen_t(MemoryLayout<sockaddr_in>.size))
        guard result == 0 else { throw .system(SystemError(operation: "connect to port \(port)")) }
        var one: Int32 = 1
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close() }

    /// Ends the connection, as a client that vanishes.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        CLinux.close(descriptor)
    }

    // MARK: commands

    /// Sends a line in redis-cli's quoting and returns its reply.
    @discardableResult
    package func run(_ line: String) throws(ClientFailure) -> ReplyValue {
        try send(line)
        return try reply(to: line)
    }

    /// Sends arguments as they are and returns the reply.
    @discardableResult
    package func run(arguments: [[UInt8]]) throws(ClientFailure) -> ReplyValue {
        try send(bytes: TestClient.multibulk(arguments))
        return try reply(to: "a command of \(arguments.count) arguments")
    }

    /// Sends a line without waiting for its reply.
    package func send(_ line: String) throws(ClientFailure) {
        guard let arguments = ArgumentText.split(Array(line.utf8).span) else { throw .unbalancedQuotes(line) }
        try send(bytes: TestClient.multibulk(arguments))
    }

    /// The wire form of a command.
    package static func multibulk(_ arguments: [[UInt8]]) -> [UInt8] {
        var bytes = Array("*\(arguments.count)\r\n".utf8)
        for argument in arguments {
            bytes += Array("$\(argument.count)\r\n".utf8)
            bytes += argument
            bytes += [13, 10]
        }
        return bytes
    }

    // MARK: bytes

    package func send(bytes: [UInt8]) throws(ClientFailure) {
        var sent = 0
        while sent < bytes.count {
            let result = unsafe bytes.withUnsafeBytes { buffer in
                unsafe CLinux.send(
                    descriptor, buffer.baseAddress! + sent, bytes.count - sent, Int32(truncatingIfNeeded: MSG_NOSIGNAL))
            }
            guard result >= 0 else { throw .system(SystemError(operation: "send")) }
            sent += result
        }
    }

    package func send(raw text: String) throws(ClientFailure) { try send(bytes: Array(text.utf8)) }

    /// The next reply, or push, on the connection.
    package func reply(to command: String = "(waiting)") throws(ClientFailure) -> ReplyValue {
        while true {
            do throws(ReplyReader.Malformed) {
                if let value = try reader.next() { return value }
            } catch { throw .malformed(error) }
            guard try receive(during: command) else { throw .closed(during: command) }
        }
    }

    /// The reply that arrives within `milliseconds`, nil when none does: to show that a command waits.
    package func reply(withinMilliseconds milliseconds: Int32) throws(ClientFailure) -> ReplyValue? {
        let usual = timeoutMilliseconds
        defer { timeoutMilliseconds = usual }
        timeoutMilliseconds = milliseconds
        do throws(ClientFailure) {
            return try reply()
        } catch {
            if case .timedOut = error { return nil }
            throw error
        }
    }

    /// Everything the server sends until it closes the connection.
    package func receiveUntilClosed() throws(ClientFailure) -> String {
        while try receive(during: "waiting for the connection's end") {}
        return String(decoding: reader.received, as: UTF8.self)
    }

    /// Takes what arrived; false at the end of the stream.
    private func receive(during command: String) throws(ClientFailure) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&entry, 1, timeoutMilliseconds) > 0 else { throw .timedOut(during: command) }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return false }
        reader.append(Array(buffer[..<count]))
        return true
    }
}
