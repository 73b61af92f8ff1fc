// ConfigTestSupport.swift - files in memory and short spellings for the configuration tests.
// Everything is thread-safe, because tests run in parallel.
// No test looks at the real environment or command line.
import Base
import Synchronization

@testable import Engine

/// A seeded generator, so that a failure can be run again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Files, directories and a working directory that exist only here.
final class MemoryFiles: Sendable {
    struct State {
        var files: [String: [UInt8]] = [:]
        var directories: Set<String> = ["/", "/srv", "/data", "/etc"]
        var directory = "/srv"
        var standardInput: [UInt8] = []
    }

    private let state = Mutex(State())

    init(_ files: [String: String] = [:], standardInput: String = "") {
        state.withLock { state in
            for (path, text) in files { state.files[path] = Array(text.utf8) }
            state.standardInput = Array(standardInput.utf8)
        }
    }

    var directory: String { state.withLock { $0.directory } }

    func text(_ path: String) -> String? {
        state.withLock { $0.files[path].map { String(decoding: $0, as: UTF8.self) } }
    }

    func put(_ path: String, _ content: [UInt8]) { state.withLock { $0.files[path] = content } }

    private func absolute(_ path: [UInt8], _ state: State) -> String {
        let text = String(decoding: path, as: UTF8.self)
        return text.hasPrefix("/") ? text : (state.directory == "/" ? "/" : state.directory + "/") + text
    }

    var fileSystem: ConfigFileSystem {
        let missing = SystemError(code: 2, operation: "test")
        return ConfigFileSystem(
            readFile: { path throws(SystemError) in
                let content = self.state.withLock { $0.files[self.absolute(path, $0)] }
                guard let content else { throw missing }
                return content
            },
            readStandardInput: { () throws(SystemError) in self.state.withLock { $0.standardInput } },
            paths: { glob in
                self.state.withLock { state in
                    state.files.keys.map { Array($0.utf8) }
                        .filter {
                            ConfigPattern.matches(Array(self.absolute(glob, state).utf8), $0, ignoringCase: false)
                        }
                        .sorted { $0.lexicographicallyPrecedes($1) }
                }
            },
            currentDirectory: { self.state.withLock { Array($0.directory.utf8) } },
            changeDirectory: { path throws(SystemError) in
                let isFound = self.state.withLock { state in
                    let wanted = self.absolute(path, state)
                    if state.directories.contains(wanted) { state.directory = wanted }
                    return state.directories.contains(wanted)
                }
                if !isFound { throw missing }
            },
            checkAppendable: { path throws(SystemError) in
                let parent = self.state.withLock { state in
                    let full = self.absolute(path, state)
                    let name = full.split(separator: "/").last?.count ?? 0
                    return state.directories.contains(String(full.dropLast(min(full.count - 1, name + 1))))
                }
                if !parent { throw missing }
            },
            replaceFile: { path, content throws(SystemError) in
                self.state.withLock { $0.files[self.absolute(path, $0)] = content }
            })
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// What loading a configuration came to.
struct Loaded {
    let config: Config
    let loader: ConfigLoader
    /// Standard error's text; nil when the configuration is fine.
    let report: String?

    func value(_ name: String) -> String { config.string(name) }
}

/// Loads words of a command line (without the program) and an environment.
func load(_ words: [String], environment: [(String, String)] = [], files: MemoryFiles = MemoryFiles()) -> Loaded {
    let start = StartArguments(([String]() + ["/usr/bin/fog-server"] + words).map { bytes($0) })
    var loader = ConfigLoader(fileSystem: files.fileSystem, coreCount: 4, isSentinel: start.isSentinel)
    do throws(ConfigLoadError) {
        try loader.load(start, environment: environment.map { (bytes($0.0), bytes($0.1)) })
        return Loaded(config: loader.config, loader: loader, report: nil)
    } catch {
        let report = error.unreadableFileMessage ?? text(error.report(product: "Redis 8.2.0"))
        return Loaded(config: loader.config, loader: loader, report: report)
    }
}

/// Loads one file, /etc/test.conf.
func load(file content: String, _ words: [String] = []) -> Loaded {
    load(["/etc/test.conf"] + words, files: MemoryFiles(["/etc/test.conf": content]))
}

extension Config {
    /// CONFIG SET with words; the reply, "OK" or the error's text.
    mutating func reply(
        _ words: String..., files: MemoryFiles = MemoryFiles(), hooks: [ConfigHook] = [],
        client: ConfigClient = ConfigClient(isLocal: true)
    ) -> String {
        let pairs = stride(from: 0, to: words.count - 1, by: 2).map { (bytes(words[$0]), bytes(words[$0 + 1])) }
        do throws(ConfigSetError) {
            try set(pairs, by: client, fileSystem: files.fileSystem, hooks: hooks)
            return "OK"
        } catch {
            return String(decoding: error.reply, as: UTF8.self)
        }
    }
}
