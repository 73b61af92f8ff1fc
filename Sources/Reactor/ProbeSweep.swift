// ProbeSweep.swift - asks many addresses at once whether somebody answers there: by a TCP connection, or by a request
// for a page. Connections are opened without waiting and watched together, so a sweep takes as long as its slowest
// address, at most the timeout. Blocks: no loop calls it. Names are resolved one by one and should be numbers.
internal import Base
internal import CLinux

package enum ProbeQuestion: Sendable {
    /// Somebody accepts a connection.
    case connection
    /// GET of the path is answered with a status of 200 to 299.
    case page(path: String)
}

package enum ProbeSweep {
    private struct Probe {
        let descriptor: Int32
        var isConnected = false
        /// What has come of the answer; a status line's beginning is enough.
        var answer: [UInt8] = []
        /// Nil while it is not known.
        var isWell: Bool?
    }

    /// "HTTP/1.1 200": bytes that say the status.
    private static let statusByteCount = 12

    /// Of each address whether it answered in time.
    package static func run(
        _ addresses: [(host: String, port: Int)], _ question: ProbeQuestion, timeoutMilliseconds: Int
    ) -> [Bool] {
        var probes = addresses.map { open($0.host, $0.port) }
        defer { for probe in probes where probe.descriptor >= 0 { Socket.close(probe.descriptor) } }
        let clock = Clock()
        let deadline = clock.monotonicNanoseconds + Int64(timeoutMilliseconds) * 1_000_000
        while true {
            var waiting: [Int] = []
            var watched: [pollfd] = []
            for (index, probe) in probes.enumerated() where probe.isWell == nil {
                waiting.append(index)
                let events = probe.isConnected ? POLLIN : POLLOUT
                watched.append(pollfd(fd: probe.descriptor, events: Int16(events), revents: 0))
            }
            let left = (deadline - clock.monotonicNanoseconds) / 1_000_000
            guard !waiting.isEmpty, left > 0 else { break }
            let count = unsafe poll(&watched, nfds_t(watched.count), Int32(clamping: left))
            if count < 0 && fog_errno() != EINTR { break }
            for (place, index) in waiting.enumerated() where watched[place].revents != 0 {
                advance(&probes[index], question, addresses[index].host)
            }
        }
        return probes.map { $0.isWell == true }
    }

    private static func open(_ host: String, _ port: Int) -> Probe {
        let (descriptor, isRefused) = Socket.connect(host, port: port)
        var probe = Probe(descriptor: descriptor)
        if descriptor < 0 || isRefused { probe.isWell = false }
        return probe
    }

    private static func advance(_ probe: inout Probe, _ question: ProbeQuestion, _ host: String) {
        guard probe.isConnected else {
            probe.isConnected = true
            guard Socket.pendingError(probe.descriptor) == 0 else {
                probe.isWell = false
                return
            }
            switch question {
            case .connection: probe.isWell = true
            case .page(let path): ask(&probe, path, host)
            }
            return
        }
        var room = [UInt8](repeating: 0, count: 256)
        let count = room.count
        let transfer = unsafe room.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.map { unsafe Socket.read(probe.descriptor, $0, count: count) } ?? .closed
        }
        switch transfer {
        case .bytes(let count): probe.answer += room[0..<count]
        case .wouldBlock: return
        case .ended, .closed: probe.isWell = false
        }
        if probe.answer.count >= statusByteCount { probe.isWell = isFine(probe.answer) }
    }

    private static func ask(_ probe: inout Probe, _ path: String, _ host: String) {
        let text = Array("GET \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n".utf8)
        let transfer = unsafe text.withUnsafeBufferPointer { buffer in
            unsafe buffer.baseAddress.map { unsafe Socket.write(probe.descriptor, $0, count: buffer.count) } ?? .closed
        }
        // So few bytes fit a new connection's buffer whole.
        if transfer != .bytes(text.count) { probe.isWell = false }
    }

    private static func isFine(_ answer: [UInt8]) -> Bool {
        String(decoding: answer.prefix(7), as: UTF8.self) == "HTTP/1." && answer[8] == 32 && answer[9] == 50
    }
}
