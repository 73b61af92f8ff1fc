// Socket.swift - every socket system call of the server, with its errors named. Descriptors are non-blocking and
// close-on-exec from birth. EINTR is repeated here and nowhere else.
package import Base
internal import CLinux

package enum Socket {
    /// What a read or write on a non-blocking socket came to.
    package enum Transfer: Equatable {
        case bytes(Int)
        case wouldBlock
        /// The peer sends nothing more; it may still read.
        case ended
        /// The connection is gone.
        case closed
    }

    // MARK: listening

    /// A listening TCP socket on `address` ("127.0.0.1", "::1", "*" for all IPv4, "::*" for all IPv6).
    package static func listenTCP(_ address: String, port: Int, backlog: Int) throws(SystemError) -> Int32 {
        let isIPv6 = address.contains(":")
        let family = isIPv6 ? AF_INET6 : AF_INET
        let operation = "listen on \(address):\(port)"
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | flags, 0)
        guard descriptor >= 0 else { throw SystemError(operation: operation) }
        setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        if isIPv6 { setOption(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        let bound = isIPv6 ? bindIPv6(descriptor, address, port) : bindIPv4(descriptor, address, port)
        guard bound, listen(descriptor, Int32(clamping: backlog)) == 0 else {
            let error = SystemError(operation: operation)
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

    private static func bindIPv4(_ descriptor: Int32, _ address: String, _ port: Int) -> Bool {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
        let parsed = unsafe address == "*" || inet_pton(AF_INET, address, &name.sin_addr) == 1
        if !parsed {
            guard let resolved = resolve(address) else {
                fog_set_errno(EADDRNOTAVAIL)
                return false
            }
            name.sin_addr = resolved
        }
        return unsafe fog_bind(descriptor, &name, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
    }

    /// The first IPv4 address of a host name.
    private static func resolve(_ host: String) -> in_addr? {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_INET
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>? = nil
        guard unsafe getaddrinfo(host, nil, &hints, &list) == 0, let first = unsafe list else { return nil }
        defer { unsafe freeaddrinfo(list) }
        return unsafe first.pointee.ai_addr?.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
            unsafe $0.pointee.sin_addr
        }
    }

    private static func bindIPv6(_ descriptor: Int32, _ address: String, _ port: Int) -> Bool {
        var name = sockaddr_in6()
        name.sin6_family = sa_family_t(AF_INET6)
        name.sin6_port = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
        let parsed = unsafe address == "::*" || inet_pton(AF_INET6, address, &name.sin6_addr) == 1
        if !parsed {
            fog_set_errno(EADDRNOTAVAIL)
            return false
        }
        return unsafe fog_bind(descriptor, &name, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
    }

    // MARK: connecting

    /// Begins a TCP connection to `host`, a number or a name, without waiting for its end: it is over when the socket
    /// can be written to, and `pendingError` says how. A negative descriptor when there can be none.
    package static func connect(_ host: String, port: Int) -> (descriptor: Int32, isRefused: Bool) {
        guard port > 0, port <= 65_535 else { return (-1, true) }
        let isIPv6 = host.contains(":")
        let descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue) | flags, 0)
        guard descriptor >= 0 else { return (-1, true) }
        let result: Int32
        if isIPv6 {
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = in_port_t(UInt16(port)).bigEndian
            guard unsafe inet_pton(AF_INET6, host, &name.sin6_addr) == 1 else { return (descriptor, true) }
            result = unsafe fog_connect(descriptor, &name, socklen_t(MemoryLayout<sockaddr_in6>.size))
        } else {
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = in_port_t(UInt16(port)).bigEndian
            if unsafe inet_pton(AF_INET, host, &name.sin_addr) != 1 {
                guard let resolved = resolve(host) else { return (descriptor, true) }
                name.sin_addr = resolved
            }
            result = unsafe fog_connect(descriptor, &name, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
        return (descriptor, result != 0 && fog_errno() != EINPROGRESS)
    }

    /// The errno that a connection ended with; 0 for none.
    package static func pendingError(_ descriptor: Int32) -> Int32 {
        var code: Int32 = 0
        var byteCount = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &byteCount) == 0 else { return fog_errno() }
        return code
    }

    /// A listening unix socket at `path`; a stale one is replaced. `permissions` 0 leaves the umask's.
    /// `group` owns the socket's file when it is not empty.
    package static func listenUnix(
        _ path: String, permissions: Int, group: String, backlog: Int
    ) throws(SystemError) -> Int32 {
        let operation = "listen on unix socket \(path)"
        var name = sockaddr_un()
        let capacity = MemoryLayout.size(ofValue: name.sun_path)
        guard path.utf8.count < capacity else { throw SystemError(code: ENAMETOOLONG, operation: operation) }
        name.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | flags, 0)
        guard descriptor >= 0 else { throw SystemError(operation: operation) }
        unsafe unlink(path)
        let bound = unsafe fog_bind(descriptor, &name, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
        guard bound, listen(descriptor, Int32(clamping: backlog)) == 0 else {
            let error = SystemError(operation: operation)
            close(descriptor)
            throw error
        }
        if permissions != 0 { unsafe chmod(path, mode_t(truncatingIfNeeded: permissions)) }
        if group.isEmpty { return descriptor }
        do throws(SystemError) { try give(path, toGroup: group) } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// At start only: the C library's list of groups is not for several threads.
    private static func give(_ path: String, toGroup name: String) throws(SystemError) {
        guard let entry = unsafe getgrnam(name) else {
            throw SystemError(code: ENOENT, operation: "find the group \(name) of unix socket \(path)")
        }
        guard unsafe chown(path, uid_t.max, entry.pointee.gr_gid) == 0 else {
            throw SystemError(operation: "give unix socket \(path) to the group \(name)")
        }
    }

    // MARK: accepted connections

    /// The next waiting connection, nil when there is none. Asks for a descriptor before it takes a client out of the
    /// queue, because not every kernel puts one back when `accept` finds no descriptor for it: the client would be cut.
    package static func accept(_ listener: Int32) throws(SystemError) -> Int32? {
        let spare = dup(listener)
        guard spare >= 0 else { throw SystemError(operation: "accept") }
        close(spare)
        while true {
            let descriptor = fog_accept(listener)
            if descriptor >= 0 { return descriptor }
            switch fog_errno() {
            case EINTR, ECONNABORTED: continue
            case EAGAIN: return nil
            default: throw SystemError(operation: "accept")
            }
        }
    }

    /// No delays for small replies, and probes for peers that vanish.
    package static func configure(_ descriptor: Int32, keepaliveSeconds: Int) {
        setOption(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        guard keepaliveSeconds > 0 else { return }
        setOption(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        setOption(descriptor, Int32(IPPROTO_TCP), TCP_KEEPIDLE, Int32(clamping: keepaliveSeconds))
        setOption(descriptor, Int32(IPPROTO_TCP), TCP_KEEPINTVL, Int32(clamping: max(1, keepaliveSeconds / 3)))
        setOption(descriptor, Int32(IPPROTO_TCP), TCP_KEEPCNT, 3)
    }

    private static func setOption(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        unsafe setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// "ip:port" of the peer (or of our end), "[ip6]:port", or "path:0" for a unix socket.
    package static func name(of descriptor: Int32, peer: Bool) -> (text: String, isLoopback: Bool, isUnix: Bool) {
        var storage = sockaddr_storage()
        let result = unsafe fog_socket_name(descriptor, peer ? 1 : 0, &storage)
        guard result == 0 else { return ("?:0", false, false) }
        switch Int32(storage.ss_family) {
        case AF_INET: return nameIPv4(storage)
        case AF_INET6: return nameIPv6(storage)
        default: return ("unix:0", true, true)
        }
    }

    private static func nameIPv4(_ storage: sockaddr_storage) -> (String, Bool, Bool) {
        var storage = storage
        let address = unsafe withUnsafePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { unsafe $0.pointee }
        }
        let bits = UInt32(bigEndian: address.sin_addr.s_addr)
        let text = "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
        return ("\(text):\(UInt16(bigEndian: address.sin_port))", bits >> 24 == 127, false)
    }

    private static func nameIPv6(_ storage: sockaddr_storage) -> (String, Bool, Bool) {
        var storage = storage
        var address = unsafe withUnsafePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { unsafe $0.pointee }
        }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        unsafe inet_ntop(AF_INET6, &address.sin6_addr, &text, socklen_t(text.count))
        let shown = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return ("[\(shown)]:\(UInt16(bigEndian: address.sin6_port))", shown == "::1", false)
    }

    /// The local port of a TCP socket, 0 when there is none.
    package static func port(of descriptor: Int32) -> Int {
        let name = name(of: descriptor, peer: false).text
        return name.lastIndex(of: ":").flatMap { Int(name[name.index(after: $0)...]) } ?? 0
    }

    // MARK: bytes

    /// Reads into `buffer`.
    @unsafe @inline(__always)
    package static func read(_ descriptor: Int32, _ buffer: UnsafeMutablePointer<UInt8>, count: Int) -> Transfer {
        while true {
            let result = unsafe recv(descriptor, buffer, count, 0)
            if result > 0 { return .bytes(result) }
            if result == 0 { return count > 0 ? .ended : .wouldBlock }
            switch fog_errno() {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .closed
            }
        }
    }

    /// Writes from `buffer`; a peer that is gone is `.closed`, never a signal.
    @unsafe @inline(__always)
    package static func write(_ descriptor: Int32, _ buffer: UnsafePointer<UInt8>, count: Int) -> Transfer {
        while true {
            let result = unsafe send(descriptor, buffer, count, Int32(truncatingIfNeeded: MSG_NOSIGNAL))
            if result >= 0 { return .bytes(result) }
            switch fog_errno() {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .closed
            }
        }
    }

    /// Last words to a connection that is refused: one write that may fail, then closed.
    package static func refuse(_ descriptor: Int32, _ text: StaticString) {
        _ = unsafe write(descriptor, text.utf8Start, count: text.utf8CodeUnitCount)
        close(descriptor)
    }

    package static func close(_ descriptor: Int32) { CLinux.close(descriptor) }
}

extension Socket {
    /// Sends one datagram to a unix socket, and does without when nobody is there; a leading `@` names an abstract one.
    package static func sendDatagram(_ text: String, toUnixPath path: [UInt8]) {
        var name = sockaddr_un()
        guard !path.isEmpty, path.count < MemoryLayout.size(ofValue: name.sun_path) else { return }
        name.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &name.sun_path) { target in
            unsafe target.copyBytes(from: path)
            if path[0] == UInt8(ascii: "@") { unsafe target[0] = 0 }
        }
        let descriptor = socket(AF_UNIX, fog_datagram_type(), 0)
        guard descriptor >= 0 else { return }
        defer { CLinux.close(descriptor) }
        var text = text
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        text.withUTF8 { _ = unsafe fog_sendto(descriptor, $0.baseAddress, $0.count, &name, length) }
    }
}
