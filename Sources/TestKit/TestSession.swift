// TestSession.swift - a test as one reads it: a table of command lines and the replies they must get. A mismatch throws
// one error that shows the whole session as redis-cli would, ready to paste into a stock server's redis-cli, with the
// differing lines marked.
internal import Base

/// A session went otherwise than its table says.
package struct SessionFailure: Error, CustomStringConvertible {
    package let description: String
}

package final class TestSession {
    package let server: TestServer
    package let client: TestClient
    package let variant: TestVariant
    private var log: [String] = []

    /// A server of its own with `configuration` (lines of a configuration file) and one connection.
    package init(_ variant: TestVariant = TestVariant(), configuration: String = "") throws {
        self.variant = variant
        server = try TestServer(loopCount: variant.loopCount, configuration: configuration)
        client = try server.connect(protocolVersion: variant.protocolVersion)
    }

    /// One connection to a server that is there already.
    package init(server: TestServer) throws {
        variant = TestVariant(loopCount: server.loopCount)
        self.server = server
        client = try server.connect()
    }

    /// The given body once per variant, each with a fresh server.
    package static func each(
        _ variants: [TestVariant] = TestVariant.all, configuration: String = "", _ body: (TestSession) throws -> Void
    ) throws {
        for variant in variants { try body(TestSession(variant, configuration: configuration)) }
    }

    package var isRESP3: Bool { variant.protocolVersion == 3 }

    /// Runs the lines in order and compares every reply. An expectation is either
    /// - a reply in one line as `ReplyValue.description` has it: `OK`, `"text"`, `(integer) 1` (or bare `1`), `(nil)`,
    ///   `(error) ERR ...`, `["a", 1]`; or redis-cli's lines,
    /// - `(unordered) ["a", "b"]`: the same elements in any order,
    /// - `(matches) PATTERN`: a glob over the one-line form,
    /// - `(any)`: whatever is not an error.
    package func run(_ lines: [(command: String, reply: String)], line: Int = #line) throws {
        var failed = false
        for (command, expected) in lines {
            let reply = try answer(command, line: line)
            log.append("> \(command)")
            log.append(reply.terminalText)
            if TestSession.accepts(reply, expected) { continue }
            failed = true
            log.append("    ^^^ expected: \(expected)")
            log.append("        in short: \(reply)")
        }
        if failed { throw SessionFailure(description: transcript("replies differ from the table", line)) }
    }

    private func answer(_ command: String, line: Int) throws -> ReplyValue {
        do throws(ClientFailure) {
            return try client.run(command)
        } catch {
            log.append("> \(command)")
            throw SessionFailure(description: transcript(error.description, line))
        }
    }

    private func transcript(_ reason: String, _ line: Int) -> String {
        (["\(reason) (\(variant), table at line \(line)):"] + log).joined(separator: "\n")
    }

    /// Whether a reply is what the table's text says.
    package static func accepts(_ reply: ReplyValue, _ expected: String) -> Bool {
        if expected == "(any)" { return !reply.isError }
        if let rest = text(expected, after: "(matches) ") {
            return Glob.matches(pattern: Array(rest.utf8).span, text: Array(reply.description.utf8).span)
        }
        if let rest = text(expected, after: "(unordered) ") { return reply.sorted.description == rest }
        if case .integer(let value) = reply, expected == "\(value)" { return true }
        return reply.description == expected || reply.terminalText == expected
    }

    private static func text(_ text: String, after prefix: String) -> String? {
        text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : nil
    }
}
