// TemporaryDirectory.swift - a directory of a test's own, gone with its value; what tests of persistence look into.
internal import Base
internal import CLinux

package final class TemporaryDirectory {
    package let path: String

    package init() throws(StartFailure) {
        var template = Array("/tmp/fog-test-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw StartFailure(description: "no temporary directory") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in names {
            // The append only file has a directory of its own.
            for inner in TemporaryDirectory.names(in: path + "/" + name) { remove(name + "/" + inner) }
            remove(name)
        }
        unsafe rmdir(path)
    }

    /// Names in it, sorted.
    package var names: [String] { TemporaryDirectory.names(in: path) }

    private static func names(in path: String) -> [String] {
        guard let directory = unsafe opendir(path) else { return [] }
        defer { unsafe _ = closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    package func write(_ name: String, _ bytes: [UInt8]) {
        let descriptor = unsafe fog_openat_create(path + "/" + name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        defer { close(descriptor) }
        let count = unsafe bytes.withUnsafeBytes { unsafe CLinux.write(descriptor, $0.baseAddress, $0.count) }
        precondition(count == bytes.count, "a test's file can be written")
    }

    /// The bytes of a file; none when it is not there.
    package func read(_ name: String) -> [UInt8] {
        guard let file = unsafe fopen(path + "/" + name, "r") else { return [] }
        defer { unsafe _ = fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, file) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    package func makeDirectory(_ name: String) { unsafe mkdir(path + "/" + name, 0o755) }

    /// Removes a file or an empty directory.
    package func remove(_ name: String) { unsafe CLinux.remove(path + "/" + name) }
}
