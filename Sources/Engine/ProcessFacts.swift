// ProcessFacts.swift - what the system says about this process: resident memory and processor time. Read for INFO.
internal import Base
internal import CLinux

package enum ProcessFacts {
    /// Resident set size in bytes, from /proc/self/statm; 0 when it cannot be read.
    package static var residentByteCount: Int {
        let text = read("/proc/self/statm")
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return 0 }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Kernel name, release and machine, as `uname -srm` prints them.
    package static var systemName: String {
        var names = utsname()
        guard unsafe uname(&names) == 0 else { return "" }
        return [field(names.sysname), field(names.release), field(names.machine)].joined(separator: " ")
    }

    /// The text of one of uname's fixed arrays.
    private static func field<Value>(_ value: Value) -> String {
        unsafe withUnsafeBytes(of: value) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// Bytes of memory in the machine.
    package static var systemByteCount: Int {
        Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Processor seconds of this process (or its children) in user and system mode.
    package static func processorSeconds(children: Bool = false) -> (user: Double, system: Double) {
        var usage = rusage()
        unsafe getrusage(children ? RUSAGE_CHILDREN : RUSAGE_SELF, &usage)
        return (seconds(usage.ru_utime), seconds(usage.ru_stime))
    }

    /// Processor seconds of the calling thread.
    package static func threadProcessorSeconds() -> (user: Double, system: Double) {
        var usage = rusage()
        unsafe getrusage(__rusage_who(rawValue: 1), &usage)
        return (seconds(usage.ru_utime), seconds(usage.ru_stime))
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

    /// The first 4 KiB of a small system file.
    package static func read(_ path: String) -> String {
        let descriptor = unsafe fog_openat_create(path, O_RDONLY, 0)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var buffer = ByteBuffer(capacity: 4096)
        let count = unsafe CLinux.read(descriptor, buffer.pointer, 4096)
        if count > 0 { buffer.commit(count) }
        return buffer.span.text
    }
}
