// DirectiveCheck.swift - reasons to refuse a value that its kind would accept: file names, host names, addresses, the
// process title. Texts are Redis', word for word. Pure; each takes the bytes and answers nil when they are fine.
// They run in the file reader and in CONFIG SET alike, so they must not depend on the running server.

enum DirectiveCheck {
    @Sendable static func databaseFileName(_ name: [UInt8]) -> String? {
        isPath(name) ? "dbfilename can't be a path, just a filename" : nil
    }

    @Sendable static func appendFileName(_ name: [UInt8]) -> String? {
        if name.isEmpty { return "appendfilename can't be empty" }
        return isPath(name) ? "appendfilename can't be a path, just a filename" : nil
    }

    @Sendable static func appendDirectoryName(_ name: [UInt8]) -> String? {
        if name.isEmpty { return "appenddirname can't be empty" }
        return isPath(name) ? "appenddirname can't be a path, just a dirname" : nil
    }

    private static func isPath(_ name: [UInt8]) -> Bool {
        name.contains(UInt8(ascii: "/")) || name.contains(UInt8(ascii: "\\"))
    }

    @Sendable static func announcedHostname(_ name: [UInt8]) -> String? {
        if name.count >= 256 { return "Hostnames must be less than 256 characters" }
        let isFine = name.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
        return isFine ? nil : "Hostnames may only contain alphanumeric characters, hyphens or dots"
    }

    /// Letters, digits, `-./:_`, a backquote and anything beyond ASCII.
    @Sendable static func announcedNodename(_ name: [UInt8]) -> String? {
        let marks = Array("-./:_`".utf8)
        let isFine = name.allSatisfy { isAlphanumeric($0) || marks.contains($0) || $0 >= 128 }
        return isFine ? nil : "Announced human node name contained invalid character"
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        ConfigText.isDigit(byte) || (ConfigText.lowercased(byte) >= 97 && ConfigText.lowercased(byte) <= 122)
    }

    @Sendable static func addressIPv4(_ text: [UInt8]) -> String? {
        isIPv4(text[...]) ? nil : "Invalid IPv4 address"
    }

    /// Four decimal numbers up to 255, without leading zeros.
    private static func isIPv4(_ text: ArraySlice<UInt8>) -> Bool {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                guard !part.isEmpty, part.count <= 3, part.allSatisfy({ ConfigText.isDigit($0) }) else { return false }
                if part.count > 1, part.first == 48 { return false }
                return part.reduce(0) { $0 * 10 + Int($1) - 48 } <= 255
            }
    }

    @Sendable static func addressIPv6(_ text: [UInt8]) -> String? {
        isIPv6(text) ? nil : "Invalid IPv6 address"
    }

    /// Eight groups of up to four hexadecimal digits; one run of groups may be `::`; the last two may be an IPv4
    /// address.
    private static func isIPv6(_ text: [UInt8]) -> Bool {
        let colon = UInt8(ascii: ":")
        var gap: Int?
        for index in text.indices.dropLast() where text[index] == colon && text[index + 1] == colon {
            if gap != nil { return false }
            gap = index
        }
        guard let gap else { return groupCount(text[...], mayEndInIPv4: true) == 8 }
        guard let before = groupCount(text[..<gap], mayEndInIPv4: false),
            let after = groupCount(text[(gap + 2)...], mayEndInIPv4: true)
        else { return false }
        return before + after <= 7
    }

    /// How many 16-bit groups a run without `::` holds; nil when it is malformed.
    private static func groupCount(_ text: ArraySlice<UInt8>, mayEndInIPv4: Bool) -> Int? {
        if text.isEmpty { return 0 }
        let groups = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var count = 0
        for (position, group) in groups.enumerated() {
            if mayEndInIPv4, position == groups.count - 1, group.contains(UInt8(ascii: ".")) {
                guard isIPv4(group) else { return nil }
                count += 2
            } else {
                guard !group.isEmpty, group.count <= 4, group.allSatisfy(isHexadecimal) else { return nil }
                count += 1
            }
        }
        return count
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        let lower = ConfigText.lowercased(byte)
        return ConfigText.isDigit(byte) || (lower >= 97 && lower <= 102)
    }

    /// A title needs known variables only, closed braces, and something left when an idle standalone server on a TCP
    /// port fills it in.
    @Sendable static func processTitleTemplate(_ template: [UInt8]) -> String? {
        let refusal = "template format is invalid or contains unknown variables"
        let filled = [
            "listen-addr": "*:0", "config-file": "-", "port": "0", "tls-port": "0", "title": "",
            "server-mode": "", "unixsocket": "",
        ]
        guard let title = expand(template, { filled[$0] }) else { return refusal }
        return title.allSatisfy { $0 == 32 } ? refusal : nil
    }

    /// Replaces `{name}` by `variable(name)`; `{{` is a brace. nil for an open brace or an unknown name.
    static func expand(_ template: [UInt8], _ variable: (String) -> String?) -> [UInt8]? {
        var result: [UInt8] = []
        var rest = template[...]
        while let brace = rest.firstIndex(of: UInt8(ascii: "{")) {
            result += rest[..<brace]
            rest = rest[(brace + 1)...]
            if rest.first == UInt8(ascii: "{") {
                result.append(UInt8(ascii: "{"))
                rest = rest.dropFirst()
                continue
            }
            guard let end = rest.firstIndex(of: UInt8(ascii: "}")),
                let value = variable(ConfigText.string(Array(rest[..<end])))
            else { return nil }
            result += Array(value.utf8)
            rest = rest[(end + 1)...]
        }
        return result + rest
    }
}
