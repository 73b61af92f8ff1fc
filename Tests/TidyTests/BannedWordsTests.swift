// BannedWordsTests.swift - what the sources may not say, with what to say instead; and where memory may be touched by
// hand. The words are looked for in code with comments and strings blanked out, except for the marks of unfinished work
// and paths of somebody's machine, which no text may hold.
import Foundation
import Testing

struct BannedWordsTests {
    struct Rule {
        let word: String
        let instead: String
        /// Files that may, with the reason beside them.
        var allowed: Set<String> = []
    }

    /// In Sources/. Tests may import Foundation; `try!` and `as!` are banned there too (below).
    static let inSources: [Rule] = [
        Rule(word: "print(", instead: "Log"),
        Rule(word: "debugPrint(", instead: "Log"),
        Rule(word: "NSLog(", instead: "Log"),
        Rule(word: "Date()", instead: "Clock"),
        Rule(word: "import Foundation", instead: "the standard library and CLinux"),
        Rule(word: "import Glibc", instead: "CLinux"),
        Rule(word: "import Dispatch", instead: "Reactor's threads"),
        // The allocator said no: nothing can be done, and no reply can be made.
        Rule(word: "fatalError(", instead: "precondition with a sentence", allowed: ["Sources/Base/ByteBuffer.swift"]),
        Rule(word: "DispatchQueue", instead: "IOPool"),
        Rule(word: " actor ", instead: "a loop or the engine's turn"),
        Rule(word: "await ", instead: "suspension (Engine/Suspension.swift)"),
        Rule(word: "NSRegularExpression", instead: "Glob"),
    ]

    static let everywhere: [Rule] = [
        Rule(word: "try!", instead: "do throws / catch"),
        Rule(word: "as!", instead: "a type that needs no cast"),
    ]

    static func find(_ rules: [Rule], in files: [SourceFile]) -> [String] {
        var problems: [String] = []
        for file in files {
            for (index, line) in file.code.enumerated() {
                for rule in rules where !rule.allowed.contains(file.path) && contains(line, rule.word) {
                    problems.append(file.at(index, "`\(rule.word)`: use \(rule.instead)"))
                }
            }
        }
        return problems
    }

    /// The word, not as the end of a longer name, a member or a declaration of the same name.
    static func contains(_ line: String, _ word: String) -> Bool {
        var rest = Substring(line)
        while let range = rest.range(of: word) {
            let before = line[line.startIndex..<range.lowerBound]
            let isPartOfName = before.last.map { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." } ?? false
            if !isPartOfName && !before.hasSuffix("func ") { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }

    @Test func sourcesKeepToTheHouse() {
        expectNone(BannedWordsTests.find(BannedWordsTests.inSources, in: SourceTree.swiftModules))
    }

    @Test func nothingIsForced() {
        expectNone(BannedWordsTests.find(BannedWordsTests.everywhere, in: SourceTree.swift))
    }

    @Test func theFinderFinds() {
        #expect(BannedWordsTests.contains("    print(1)", "print("))
        #expect(!BannedWordsTests.contains("    func print(_ x: Int)", "print("))
        #expect(!BannedWordsTests.contains("    footprint(1)", "print("))
        #expect(!BannedWordsTests.contains("    value.print(1)", "print("))
        #expect(BannedWordsTests.contains("let x = try! y()", "try!"))
        let file = SourceFile(
            path: "a.swift", text: "let a = \"print(\\(\"x\"))\" // print(1)\nlet b = #\"try! \"\"#\n")
        #expect(BannedWordsTests.find(BannedWordsTests.inSources + BannedWordsTests.everywhere, in: [file]).isEmpty)
    }

    /// Unfinished work belongs into issues; a path of one machine works nowhere else.
    @Test func textsHoldNoLeftovers() {
        let marks = ["TODO", "FIXME", "XXX:", "HACK:"]
        let paths = ["/work/", "/root/", "/home/", "/Users/"]
        var problems: [String] = []
        for file in SourceTree.texts where !file.path.hasPrefix("Tests/TidyTests/") {
            for (index, line) in file.lines.enumerated() {
                for mark in marks where line.contains(mark) {
                    problems.append(file.at(index, "`\(mark)`: do it or drop it"))
                }
                for path in paths where line.contains(path) {
                    problems.append(file.at(index, "`\(path)`: a path that exists on one machine only"))
                }
            }
        }
        expectNone(problems)
    }

    // MARK: raw memory

    /// Whole modules that own raw memory or system calls.
    static let unsafeModules: Set<String> = [
        "Base", "Structures", "Codec", "RESP", "Reactor", "ColdStore", "Keyspace", "Persistence", "Server", "TestKit",
    ]

    /// In Engine only what holds the parsed commands, the tables they index and the process's own facts.
    static let unsafeEngineFiles: Set<String> = [
        "Batch.swift", "Call.swift", "CommandQueue.swift", "CommandTable.swift", "ConfigFileSystem+Live.swift",
        "DebugSettings.swift", "Dispatch.swift", "Dispatch+Gates.swift", "Engine.swift", "Engine+Functions.swift",
        "Engine+Nested.swift", "Engine+Replay.swift", "Engine+Scripts.swift", "Engine+Suspension.swift", "LoopPort.swift",
        "MemoryAccount.swift", "ProcessFacts.swift", "ScriptHost.swift", "ScriptInterpreter.swift", "Scripting.swift",
        "SegmentList.swift", "Session.swift", "SlowLog.swift", "Statistics.swift", "Suspension.swift", "Turn.swift",
    ]

    /// DEBUG OBJECT prints an entry's address and reads nothing there.
    static let unsafeFiles: Set<String> = ["Sources/Commands/Server/DebugData.swift"]

    @Test func memoryIsTouchedByItsOwners() {
        var problems: [String] = []
        for file in SourceTree.swiftModules {
            guard let module = file.module, !BannedWordsTests.unsafeModules.contains(module) else { continue }
            if BannedWordsTests.unsafeFiles.contains(file.path) { continue }
            if module == "Engine" && BannedWordsTests.unsafeEngineFiles.contains(file.name) { continue }
            for (index, line) in file.code.enumerated() where BannedWordsTests.words(line).contains("unsafe") {
                problems.append(file.at(index, "`unsafe` outside its places: give the module below a safe door"))
            }
        }
        expectNone(problems)
    }

    static func words(_ line: String) -> [Substring] {
        line.split(whereSeparator: { !($0.isLetter || $0.isNumber || $0 == "_") })
    }
}
