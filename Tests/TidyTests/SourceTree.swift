// SourceTree.swift - the repository as the tidy tests read it: every source file with its lines, and the same lines
// with comments and string contents blanked out, so that a rule about code does not trip over prose. The one place
// that touches the file system.
import Foundation

struct SourceFile: Sendable {
    /// Relative to the repository, with forward slashes.
    let path: String
    let lines: [String]
    /// Comments and the contents of string literals replaced by blanks; same line numbers.
    let code: [String]

    init(path: String, text: String) {
        self.path = path
        lines = SourceFile.split(text)
        code = SourceFile.split(CodeBlanker.blanked(text))
    }

    private static func split(_ text: String) -> [String] {
        var lines = text.components(separatedBy: "\n")
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    var name: String { path.components(separatedBy: "/").last ?? path }
    var isSwift: Bool { path.hasSuffix(".swift") }

    /// The module of a file under Sources/, nil elsewhere.
    var module: String? {
        let parts = path.components(separatedBy: "/")
        return parts.count > 2 && parts[0] == "Sources" ? parts[1] : nil
    }

    /// "path:12: message", the form editors jump to.
    func at(_ index: Int, _ message: String) -> String { "\(path):\(index + 1): \(message)" }
}

enum SourceTree {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Swift and C files under Sources/ and Tests/.
    static let sources: [SourceFile] = load(["Sources", "Tests"], extensions: ["swift", "c", "h"])

    static let swift = sources.filter(\.isSwift)
    static let swiftModules = swift.filter { $0.module != nil }

    /// Everything a reader of the repository sees.
    static let texts: [SourceFile] = load(
        [
            "Sources", "Tests", "Conformance", "docker", ".ci", "Makefile", "Package.swift", "README.md",
            "CONTRIBUTING.md",
        ],
        extensions: ["swift", "c", "h", "py", "sh", "txt", "md", "", "tcl"])

    private static func load(_ places: [String], extensions: Set<String>) -> [SourceFile] {
        places.flatMap { files(under: $0) }
            .filter { extensions.contains(($0 as NSString).pathExtension) && !isGenerated($0) }
            .sorted()
            .compactMap { path in
                (try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8))
                    .map { SourceFile(path: path, text: $0) }
            }
    }

    /// Build folders, caches and binary test data.
    private static func isGenerated(_ path: String) -> Bool {
        path.components(separatedBy: "/").contains { part in
            part.hasPrefix(".build") || part.hasPrefix("__") || part.hasPrefix(".venv") || part.hasPrefix(".hypothesis")
                || part.hasPrefix(".mypy") || part == "Corpus"
        }
    }

    private static func files(under place: String) -> [String] {
        let url = root.appendingPathComponent(place)
        guard FileManager.default.fileExists(atPath: url.path) else { return [] }
        guard isFolder(url) else { return [place] }
        let names = FileManager.default.enumerator(atPath: url.path)?.compactMap { $0 as? String } ?? []
        return names.map { place + "/" + $0 }.filter { !isFolder(root.appendingPathComponent($0)) }
    }

    private static func isFolder(_ url: URL) -> Bool {
        (try? url.resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory ?? false
    }
}
