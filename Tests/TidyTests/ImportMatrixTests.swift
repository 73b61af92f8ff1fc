// ImportMatrixTests.swift - modules import one way only. The order below is the architecture: a module may import what
// stands above it and nothing else; siblings share a line and may not import each other. C modules are granted one by
// one, so that system calls and allocators stay where their owners are.
import Testing

struct ImportMatrixTests {
    /// From the bottom of the building to its roof.
    static let layers: [[String]] = [
        ["Base"], ["Structures"], ["RESP"], ["Codec"], ["Reactor"], ["ColdStore"], ["Keyspace"],
        ["Persistence"], ["Engine"], ["Commands"], ["Replication", "Cluster", "Sentinel", "Coordinator"],
        ["Server"], ["TestKit", "FogServer"],
    ]

    /// C modules and the few parts of the standard library that are modules of their own.
    static let edges: [String: Set<String>] = [
        "Base": ["CLinux", "CAllocator", "COpenSSL", "CXXHash", "Synchronization"],
        // CLZF: quicklist nodes in the middle of a list are compressed in place.
        "Structures": ["CLinux", "CAllocator", "CBits", "CLZF"],
        "RESP": ["CLinux"],
        "Codec": ["CLZ4", "CZstd", "CLZF", "CLinux"],
        "Reactor": ["CLinux", "COpenSSL", "Synchronization"],
        "ColdStore": ["CLinux", "Synchronization"],
        "Keyspace": ["CLinux", "CAllocator", "Synchronization"],
        "Persistence": ["CLinux", "Synchronization"],
        "Engine": ["CLinux", "CAllocator", "CLua", "Synchronization"],
        "Commands": [],
        "Replication": [], "Cluster": [], "Sentinel": [], "Coordinator": [],
        "Server": ["CLinux", "Synchronization"],
        "TestKit": ["CLinux", "Synchronization"],
        "FogServer": ["CLinux"],
    ]

    static func allowed(for module: String) -> Set<String>? {
        guard let level = layers.firstIndex(where: { $0.contains(module) }) else { return nil }
        return Set(layers[..<level].joined()).union(edges[module] ?? [])
    }

    @Test func importsGoOneWay() {
        var problems: [String] = []
        for file in SourceTree.swiftModules {
            guard let module = file.module else { continue }
            guard let allowed = ImportMatrixTests.allowed(for: module) else {
                problems.append("\(file.path): module \(module) has no place in ImportMatrixTests.layers")
                continue
            }
            for (index, line) in file.code.enumerated() {
                guard let imported = ImportMatrixTests.importedModule(line), !allowed.contains(imported) else {
                    continue
                }
                problems.append(file.at(index, "\(module) may not import \(imported)"))
            }
        }
        expectNone(problems)
    }

    /// "package import Base" -> "Base".
    static func importedModule(_ line: String) -> String? {
        let words = line.split(separator: " ")
        guard let position = words.firstIndex(of: "import"), position <= 2, position + 1 < words.count else {
            return nil
        }
        let modifiers: Set<Substring> = [
            "package", "internal", "public", "private", "fileprivate", "@testable", "@_exported",
        ]
        guard words[..<position].allSatisfy({ modifiers.contains($0) }) else { return nil }
        return words[position + 1].split(separator: ".").first.map(String.init)
    }

    @Test func theReaderOfImportsReads() {
        #expect(ImportMatrixTests.importedModule("package import Base") == "Base")
        #expect(ImportMatrixTests.importedModule("import Glibc.stdio") == "Glibc")
        #expect(ImportMatrixTests.importedModule("let important = 1") == nil)
        #expect(ImportMatrixTests.allowed(for: "Cluster")?.contains("Sentinel") == false)
        #expect(ImportMatrixTests.allowed(for: "Base")?.contains("Engine") == false)
    }
}

/// Fails with one problem a line.
func expectNone(_ problems: [String], sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(
        problems.isEmpty, Comment(rawValue: "\n" + problems.joined(separator: "\n")), sourceLocation: sourceLocation)
}
