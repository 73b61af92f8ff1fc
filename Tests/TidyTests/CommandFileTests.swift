// CommandFileTests.swift - the shape of Sources/Commands: every file's list of commands is joined once, administrative
// doors are used by administrative families only, and type names carry the domain's word.
import Foundation
import Testing

struct CommandFileTests {
    static let commandFiles = SourceTree.swiftModules.filter { $0.path.hasPrefix("Sources/Commands/") }

    /// The modules that bring commands, and the file of each that joins their lists.
    @Test(arguments: [
        ("Sources/Commands/", "AllCommands.swift"), ("Sources/Coordinator/", "CoordinatorCommands.swift"),
    ])
    func everyListIsJoined(folder: String, joiner: String) throws {
        let files = SourceTree.swiftModules.filter { $0.path.hasPrefix(folder) }
        let joined = try #require(files.first { $0.name == joiner })
        let entries = joined.code.compactMap { line -> String? in
            let text = line.filter { $0 != " " && $0 != "," }
            return text.hasSuffix(".commands") ? String(text.dropLast(".commands".count)) : nil
        }
        var problems: [String] = []
        for name in Set(entries) where entries.filter({ $0 == name }).count > 1 {
            problems.append("\(joiner) joins \(name) twice")
        }
        var declared: Set<String> = []
        for file in files {
            for (index, line) in file.code.enumerated() where line.contains("static let commands") {
                guard let owner = CommandFileTests.enclosingType(file.code, before: index) else { continue }
                declared.insert(owner)
                if !entries.contains(owner) {
                    problems.append(file.at(index, "\(owner).commands is not joined in \(joiner)"))
                }
            }
        }
        #expect(!declared.isEmpty)
        expectNone(problems)
    }

    private static func enclosingType(_ code: [String], before index: Int) -> String? {
        for line in code[..<index].reversed() {
            let words = BannedWordsTests.words(line)
            for keyword in ["enum", "struct", "extension"] {
                if let position = words.firstIndex(of: Substring(keyword)), position + 1 < words.count {
                    return String(words[position + 1])
                }
            }
        }
        return nil
    }

    /// `call.administration` reaches clients, configuration and statistics: data commands have no business there.
    @Test func administrationStaysInItsFamilies() {
        var problems: [String] = []
        for file in CommandFileTests.commandFiles {
            let folder = file.path.split(separator: "/").dropFirst(2).first.map(String.init) ?? ""
            if ["Server", "Connection"].contains(folder) { continue }
            for (index, line) in file.code.enumerated() where line.contains(".administration") {
                problems.append(file.at(index, "`administration` outside Commands/Server and Commands/Connection"))
            }
        }
        expectNone(problems)
    }

    @Test func typesCarryTheDomainsWord() {
        let suffixes = ["Manager", "Helper", "Helpers", "Utils", "Util"]
        var problems: [String] = []
        for file in SourceTree.swift {
            for (index, line) in file.code.enumerated() {
                let words = BannedWordsTests.words(line)
                for (word, name) in zip(words, words.dropFirst())
                where ["enum", "struct", "class", "protocol"].contains(word) && suffixes.contains(where: name.hasSuffix)
                {
                    problems.append(file.at(index, "\(name): name the thing, not its usefulness"))
                }
            }
        }
        expectNone(problems)
    }

    /// A generic that leaves its module unspecialised is fifty times slower.
    @Test func genericsThatLeaveTheirModuleAreInlinable() {
        var problems: [String] = []
        for file in SourceTree.swiftModules where file.module != "TestKit" {
            for (index, line) in file.code.enumerated() where CommandFileTests.isPackageGeneric(line) {
                let attributes = file.code[max(0, index - 2)...index].joined(separator: " ")
                if !attributes.contains("@inlinable") && !attributes.contains("@inline(") {
                    problems.append(file.at(index, "a generic `package` function needs @inlinable or @inline(always)"))
                }
            }
        }
        expectNone(problems)
    }

    private static func isPackageGeneric(_ line: String) -> Bool {
        guard line.contains("package "), let range = line.range(of: "func ") else { return false }
        let name = line[range.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        return line[range.upperBound...].dropFirst(name.count).hasPrefix("<") && !name.isEmpty
    }
}
