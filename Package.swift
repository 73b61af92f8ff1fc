// swift-tools-version: 6.2
// The package: one executable, `fog-server`, over modules that import one way only (top to bottom in the list
// below). `Tests/TidyTests/ImportMatrixTests.swift` reads the same list from the sources and holds the order.
import PackageDescription

/// `FOG_ALLOCATOR=system` builds with the C library's malloc in place of jemalloc, which the sanitizers cannot see into.
let usesSystemAllocator = Context.environment["FOG_ALLOCATOR"] == "system"

/// One list for every Swift target: language mode 6, strict memory safety and all warnings as errors.
let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .strictMemorySafety(),
        // Debug builds, which tests and CI make, hold the line; release adds a compiler note about its own flags.
        .treatAllWarnings(as: .error, .when(configuration: .debug)),
        .enableExperimentalFeature("Lifetimes"),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        // CLinux needs glibc's GNU names. The standard library's own view of glibc (Synchronization imports it) must be
        // read with the same macro, or the compiler sees two definitions of one struct.
        .unsafeFlags(["-Xcc", "-D_GNU_SOURCE=1"]),
        // Hot state is reached through the engine's turn, which already excludes overlapping access between threads;
        // dynamic exclusivity checks cost 1.7x on that path when measured, so release builds drop them. Debug keeps them.
        // `package` functions are inlined across modules only with package-wide cross-module optimisation (measured:
        // 2x on the request path); the module interfaces it needs never leave this package.
        .unsafeFlags(
            [
                "-enforce-exclusivity=unchecked", "-enable-library-evolution", "-Xfrontend", "-package-cmo",
                "-Xfrontend",
                "-allow-non-resilient-access",
            ], .when(configuration: .release)),
    ] + (usesSystemAllocator ? [.unsafeFlags(["-Xcc", "-DFOG_SYSTEM_ALLOCATOR=1"])] : [])

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
    name: "fog",
    products: [.executable(name: "fog-server", targets: ["fog-server"])],
    targets: [
        .target(name: "CLinux", linkerSettings: [.linkedLibrary("m")]),
        .target(
            name: "CAllocator", cSettings: usesSystemAllocator ? [.define("FOG_SYSTEM_ALLOCATOR")] : [],
            linkerSettings: usesSystemAllocator ? [] : [.linkedLibrary("jemalloc")]),
        .target(name: "CBits"),
        .target(name: "CLZ4", linkerSettings: [.linkedLibrary("lz4")]),
        .target(name: "CLZF", linkerSettings: [.linkedLibrary("lzf")]),
        .target(name: "COpenSSL", linkerSettings: [.linkedLibrary("crypto")]),
        .target(name: "CXXHash"),
        .target(name: "CLua", dependencies: ["COpenSSL"], linkerSettings: [.linkedLibrary("lua5.1")]),
        .target(name: "CZstd", linkerSettings: [.linkedLibrary("zstd")]),
        module("Base", ["CLinux", "CAllocator", "COpenSSL", "CXXHash"]),
        module("Structures", ["Base", "CLinux", "CAllocator", "CBits", "CLZF"]),
        module("RESP", ["Base"]),
        module("Codec", ["Base", "CLinux", "CLZ4", "CZstd"]),
        module("Reactor", ["Base", "CLinux"]),
        module("ColdStore", ["Base", "CLinux", "Reactor"]),
        module("Keyspace", ["Base", "CLinux", "CAllocator", "Structures", "Codec", "ColdStore"]),
        module("Persistence", ["Base", "CLinux", "Structures", "RESP", "Reactor", "Keyspace"]),
        module(
            "Engine",
            [
                "Base", "CLinux", "CAllocator", "CLua", "Structures", "Codec", "RESP", "ColdStore", "Keyspace",
                "Persistence",
            ]),
        module("Commands", ["Base", "Structures", "RESP", "Keyspace", "Engine"]),
        module("Coordinator", ["Base", "Structures", "RESP", "Keyspace", "Engine", "Commands"]),
        module(
            "Server",
            [
                "Base", "CLinux", "Structures", "RESP", "Reactor", "ColdStore", "Keyspace", "Persistence", "Engine",
                "Commands", "Coordinator",
            ]),
        module("TestKit", ["Base", "CLinux", "Engine", "Server"]),
        .executableTarget(
            name: "fog-server", dependencies: ["CLinux", "Server"], path: "Sources/FogServer", swiftSettings: settings),
        tests("BaseTests", ["Base", "CLinux"]),
        tests("CodecTests", ["Base", "Codec"]),
        .target(
            name: "StructuresRun", dependencies: ["Base", "Structures"], path: "Tests/StructuresRun",
            swiftSettings: settings),
        tests("StructuresTests", ["Base", "CBits", "CLinux", "Structures", "StructuresRun"]),
        .executableTarget(
            name: "cold-run", dependencies: ["Base", "CLinux", "ColdStore"], path: "Tests/ColdRun",
            swiftSettings: settings),
        tests("ColdStoreTests", ["Base", "ColdStore", "Reactor"]),
        tests("KeyspaceTests", ["Base", "Codec", "Keyspace", "Structures"]),
        tests("EngineTests", ["Base", "CLinux", "Engine"]),
        tests(
            "CommandsTests",
            [
                "Base", "CAllocator", "ColdStore", "Commands", "Engine", "Keyspace", "RESP", "Server", "Structures",
                "TestKit",
            ]),
        tests(
            "CoordinatorTests",
            ["Base", "Coordinator", "Engine", "Keyspace", "RESP", "Server", "Structures", "TestKit"]),
        tests(
            "PersistenceTests", ["Base", "Keyspace", "Persistence", "Reactor", "RESP", "Structures", "ValuesRun"]),
        tests("TidyTests", []),
        .target(
            name: "ParserRun", dependencies: ["Base", "CLinux", "RESP"], path: "Tests/ParserRun",
            swiftSettings: settings),
        tests("RESPTests", ["Base", "ParserRun", "RESP"]),
        .target(
            name: "ValuesRun", dependencies: ["Base", "Commands", "Keyspace", "Persistence", "RESP", "Structures"],
            path: "Tests/ValuesRun", swiftSettings: settings),
    ]
)

// The fuzz targets need libFuzzer's runtime, so only `Tests/Fuzz/run.sh` sees them.
if Context.environment["FOG_FUZZ"] != nil {
    package.products.append(.executable(name: "fuzz-values", targets: ["fuzz-values"]))
    package.targets.append(
        .executableTarget(
            name: "fuzz-values", dependencies: ["ValuesRun"], path: "Tests/Fuzz/Values",
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]))
    package.products.append(.executable(name: "fuzz-structures", targets: ["fuzz-structures"]))
    package.targets.append(
        .executableTarget(
            name: "fuzz-structures", dependencies: ["StructuresRun"], path: "Tests/Fuzz/Structures",
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]))
    package.products.append(.executable(name: "fuzz-parser", targets: ["fuzz-parser"]))
    package.targets.append(
        .executableTarget(
            name: "fuzz-parser", dependencies: ["ParserRun"], path: "Tests/Fuzz/Parser",
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]))
}
