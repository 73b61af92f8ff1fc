// SizeTests.swift - limits on what one has to read at once: lines per file and function, columns per line, and a head
// comment that says what a file is. Exceptions are listed with their reason; a listed one that no longer needs it
// fails.
import Testing

struct SizeTests {
    static let fileLinesMax = 600
    static let functionLinesMax = 60
    static let columnsMax = 120
    static let headLinesMax = 20

    /// Data tables: one row per entry, nothing to understand between the rows.
    static let longFiles: [String: String] = [:]

    /// "path function": reason.
    static let longFunctions: [String: String] = [:]

    /// Generated or column-aligned data.
    static let wideFiles: [String: String] = [:]

    @Test func filesAreShort() {
        var problems: [String] = []
        for file in SourceTree.sources {
            let isLong = file.lines.count > SizeTests.fileLinesMax
            if isLong && SizeTests.longFiles[file.path] == nil {
                problems.append("\(file.path): \(file.lines.count) lines, at most \(SizeTests.fileLinesMax)")
            }
            if !isLong && SizeTests.longFiles[file.path] != nil {
                problems.append("\(file.path): no longer needs its exception")
            }
        }
        expectNone(problems)
    }

    @Test func linesFitTheirColumns() {
        var problems: [String] = []
        for file in SourceTree.sources where SizeTests.wideFiles[file.path] == nil {
            for (index, line) in file.lines.enumerated() {
                if line.count > SizeTests.columnsMax && !SizeTests.isText(line) {
                    problems.append(file.at(index, "\(line.count) columns, at most \(SizeTests.columnsMax)"))
                }
                if line.hasSuffix(" ") || line.contains("\t") {
                    problems.append(file.at(index, "a tab or a blank at the end"))
                }
            }
        }
        expectNone(problems)
    }

    /// A line that is one string (a complexity, a line of history) stays whole, so that it can be searched.
    private static func isText(_ line: String) -> Bool {
        let trimmed = line.drop { $0 == " " || $0 == "(" }
        return trimmed.hasPrefix("\"")
    }

    @Test func filesSayWhatTheyAre() {
        var problems: [String] = []
        for file in SourceTree.sources {
            let head = file.lines.prefix { $0.hasPrefix("//") }
            let tools = file.name == "Package.swift" ? 1 : 0
            guard let first = head.dropFirst(tools).first, first.hasPrefix("// \(file.name) - ") else {
                problems.append("\(file.path):1: starts with no line \"// \(file.name) - what it is\"")
                continue
            }
            if head.count > SizeTests.headLinesMax {
                problems.append(
                    "\(file.path):1: head comment of \(head.count) lines, at most \(SizeTests.headLinesMax)")
            }
        }
        expectNone(problems)
    }

    @Test func functionsAreShort() {
        var problems: [String] = []
        var needed: Set<String> = []
        for file in SourceTree.swift {
            for function in Functions.all(in: file) where function.lineCount > SizeTests.functionLinesMax {
                let key = "\(file.path) \(function.name)"
                needed.insert(key)
                guard SizeTests.longFunctions[key] == nil else { continue }
                problems.append(
                    file.at(
                        function.firstLine,
                        "\(function.name) has \(function.lineCount) lines, at most \(SizeTests.functionLinesMax)"))
            }
        }
        for key in SizeTests.longFunctions.keys where !needed.contains(key) {
            problems.append("\(key): no longer needs its exception")
        }
        expectNone(problems)
    }

    @Test func theCounterCounts() {
        let text = """
            struct A {
                func short() { let x = "}" }
                init() {
                    // }
                    if true {
                    }
                }
            }
            """
        let found = Functions.all(in: SourceFile(path: "A.swift", text: text))
        #expect(found.map(\.name) == ["short", "init"])
        #expect(found.map(\.lineCount) == [1, 5])
    }
}

/// Functions and initialisers with bodies, found by counting braces in blanked code.
enum Functions {
    struct Function {
        let name: String
        let firstLine: Int
        let lineCount: Int
    }

    static func all(in file: SourceFile) -> [Function] {
        file.code.indices.compactMap { index in
            guard let name = declaredName(file.code[index]) else { return nil }
            guard let end = bodyEnd(file.code, from: index) else { return nil }
            return Function(name: name, firstLine: index, lineCount: end - index + 1)
        }
    }

    private static func declaredName(_ line: String) -> String? {
        let words = line.split(whereSeparator: { " (<".contains($0) })
        if let position = words.firstIndex(of: "func"), position + 1 < words.count {
            return String(words[position + 1])
        }
        let trimmed = line.drop { $0 == " " }
        for keyword in ["init", "deinit"] {
            let isDeclaration = words.contains { $0 == keyword || $0 == keyword + "?" }
            if isDeclaration && trimmed.hasSuffix("{") || isDeclaration && trimmed.hasSuffix("(") { return keyword }
        }
        return nil
    }

    /// The line of the brace that closes the body; nil for a declaration without one.
    private static func bodyEnd(_ code: [String], from start: Int) -> Int? {
        var depth = 0
        var parentheses = 0
        for index in start..<code.count {
            for character in code[index] {
                switch character {
                case "(": parentheses += 1
                case ")": parentheses -= 1
                case "{": depth += 1
                case "}":
                    depth -= 1
                    if depth == 0 && parentheses <= 0 { return index }
                    if depth < 0 { return nil }
                default: break
                }
            }
        }
        return nil
    }
}
