// FunctionPayload.swift - FUNCTION DUMP and RESTORE, and what snapshots need of libraries: all of them as their source.
// A payload is what a snapshot holds of functions, with the footer of DUMP. Restoring compiles everything before it
// changes anything. Under the turn.
internal import Base
internal import Keyspace
internal import RESP

/// What FUNCTION RESTORE does with libraries that exist.
package enum RestorePolicy: Sendable {
    case flush, append, replace

    package init?(_ word: Span<UInt8>) {
        if word.equalsIgnoringCase("flush") {
            self = .flush
        } else if word.equalsIgnoringCase("append") {
            self = .append
        } else if word.equalsIgnoringCase("replace") {
            self = .replace
        } else {
            return nil
        }
    }
}

private enum FunctionPayload {
    /// Opcode of a library in a snapshot.
    private static let library: UInt8 = 245
    /// The payload's version: that of Redis 7.0.
    private static let version = 10

    static func write(_ libraries: borrowing FunctionLibraries, compresses: Bool) -> [UInt8] {
        var sink = ValueSink(compresses ? .now : .never)
        for item in libraries.all {
            sink.append(library)
            sink.append(string: item.code.span)
        }
        sink.append(littleEndian: UInt64(version), byteCount: 2)
        sink.append(littleEndian: CRC64.checksum(sink.span))
        return sink.span.array
    }

    /// The sources in a payload.
    static func read(_ payload: Span<UInt8>, limits: ValueLimits) throws(CommandError) -> [[UInt8]] {
        do throws(PayloadError) { _ = try DumpPayload.checkFooter(payload) } catch {
            throw .message("ERR DUMP payload version or checksum are wrong")
        }
        let contents = payload.extracting(0..<(payload.count - DumpPayload.footerByteCount))
        return try ValueReader.read(contents, limits: limits) { reader throws(CommandError) in
            var sources: [[UInt8]] = []
            while reader.leftInWindow > 0 {
                do throws(ValueError) {
                    guard try reader.byte() == library else { throw .expected("a library") }
                    var source = ByteBuffer()
                    try reader.string(into: &source)
                    sources.append(source.span.array)
                } catch {
                    throw .message("ERR failed loading the given functions payload")
                }
            }
            return sources
        }
    }
}

extension Engine {
    /// All libraries as their source, for snapshots and rewritten files.
    package var librarySources: [[UInt8]] { scripting.libraries.all.map(\.code) }

    /// Puts libraries in place, all of them or none.
    package mutating func restoreLibraries(_ sources: [[UInt8]], _ policy: RestorePolicy) throws(ScriptError) {
        var made: [FunctionLibrary] = []
        do throws(ScriptError) {
            for source in sources { made.append(try makeLibrary(source.span)) }
            try check(made, policy)
        } catch {
            for library in made { forget(library) }
            throw error
        }
        for library in scripting.libraries.all
        where policy == .flush || made.contains(where: { $0.name == library.name }) {
            removeLibrary(library.name)
        }
        for library in made { scripting.libraries.add(library) }
    }

    /// Whether the libraries go together with each other and with those that stay.
    private func check(_ made: [FunctionLibrary], _ policy: RestorePolicy) throws(ScriptError) {
        var kept = policy == .flush ? [] : scripting.libraries.all
        for library in made {
            guard let index = kept.firstIndex(where: { $0.name == library.name }) else { continue }
            if policy == .append {
                throw ScriptError("Library \(String(decoding: library.name, as: UTF8.self)) already exists")
            }
            kept.remove(at: index)
        }
        for library in made {
            if kept.contains(where: { $0.name == library.name }) {
                throw ScriptError("Library \(String(decoding: library.name, as: UTF8.self)) already exists")
            }
            for function in library.functions {
                let isTaken = kept.contains { other in
                    other.functions.contains { $0.name.span.equalsIgnoringCase(function.name.span) }
                }
                if isTaken {
                    throw ScriptError("Function \(String(decoding: function.name, as: UTF8.self)) already exists")
                }
            }
            kept.append(library)
        }
    }
}

extension Call {
    /// FUNCTION DUMP.
    package func dumpLibraries() -> [UInt8] {
        FunctionPayload.write(administration.scripting.libraries, compresses: settings.rdbCompression)
    }

    /// FUNCTION RESTORE of the payload in argument `index`.
    package func restoreLibraries(_ index: Int, _ policy: RestorePolicy) throws(CommandError) {
        let sources = try FunctionPayload.read(arguments[index], limits: settings.valueLimits)
        do throws(ScriptError) {
            try administration.restoreLibraries(sources, policy)
        } catch { throw refuse(error) }
        noteLibraries()
    }
}
