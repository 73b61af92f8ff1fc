// ConfigFileSystem.swift - every door to the outside world that configuration needs, as replaceable functions: tests
// bring files of their own, the server uses `live` (ConfigFileSystem+Live.swift). Called at start and by CONFIG
// commands only. Paths are bytes, because a path need not be UTF-8.
package import Base

/// Files and directories, as configuration needs them.
package struct ConfigFileSystem: Sendable {
    /// How every door fails.
    package typealias Failure = SystemError

    /// The whole content of a file.
    package var readFile: @Sendable (_ path: [UInt8]) throws(Failure) -> [UInt8]
    /// Everything until the end of standard input.
    package var readStandardInput: @Sendable () throws(Failure) -> [UInt8]
    /// Paths that match a glob, in byte order; none is not an error.
    package var paths: @Sendable (_ glob: [UInt8]) -> [[UInt8]]
    /// The working directory; empty when it is gone.
    package var currentDirectory: @Sendable () -> [UInt8]
    /// Makes a directory the process's working directory.
    package var changeDirectory: @Sendable (_ path: [UInt8]) throws(Failure) -> Void
    /// Whether a file can be opened for appending, creating it.
    package var checkAppendable: @Sendable (_ path: [UInt8]) throws(Failure) -> Void
    /// Puts new content in the place of a file so that at every moment, power loss included, one of the two is there.
    /// An existing file's mode is kept.
    package var replaceFile: @Sendable (_ path: [UInt8], _ content: [UInt8]) throws(Failure) -> Void

    /// All doors, replaced one by one in tests.
    package init(
        readFile: @escaping @Sendable ([UInt8]) throws(Failure) -> [UInt8],
        readStandardInput: @escaping @Sendable () throws(Failure) -> [UInt8],
        paths: @escaping @Sendable ([UInt8]) -> [[UInt8]],
        currentDirectory: @escaping @Sendable () -> [UInt8],
        changeDirectory: @escaping @Sendable ([UInt8]) throws(Failure) -> Void,
        checkAppendable: @escaping @Sendable ([UInt8]) throws(Failure) -> Void,
        replaceFile: @escaping @Sendable ([UInt8], [UInt8]) throws(Failure) -> Void
    ) {
        self.readFile = readFile
        self.readStandardInput = readStandardInput
        self.paths = paths
        self.currentDirectory = currentDirectory
        self.changeDirectory = changeDirectory
        self.checkAppendable = checkAppendable
        self.replaceFile = replaceFile
    }

    /// `path` as seen from the root, so that it still names the same file after `dir` moved the process.
    package func absolutePath(_ path: [UInt8]) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        let path = ConfigText.trimmed(path)
        if path.first == slash { return path }
        var base = currentDirectory()
        var rest = path[...]
        while rest.starts(with: Array("../".utf8)) {
            rest = rest.dropFirst(3)
            base = Array(base[..<(base.lastIndex(of: slash) ?? 0)])
        }
        return base + (base.last == slash ? [] : [slash]) + rest
    }
}
