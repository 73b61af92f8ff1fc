// Catalogue.swift - the files beside the segments: manifest, dictionaries, tombstones, and the lock that keeps a second
// process out. Changed by the writer's thread while the store runs, by the owner before and after.
internal import Base
internal import CLinux
internal import Reactor
internal import Synchronization

final class Catalogue: Sendable {
    let directory: String
    let persists: Bool
    private struct State: Sendable {
        var manifest = Manifest()
        /// Counts changes.
        var edition = 0
        /// Tombstones could not be written: a crash must find nothing that it could believe.
        var isForfeited = false
    }

    private let state = Mutex(State())
    private let tombstones = Mutex<Graves?>(nil)
    private let lock: Int32

    static let dictionarySuffix = ".dictionary"

    /// Makes the directory when there is none and takes its lock.
    init(directory: String, persists: Bool) throws(SystemError) {
        self.directory = directory
        self.persists = persists
        try Disk.makeDirectory(directory)
        let path = "\(directory)/lock"
        lock = unsafe fog_openat_create(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard lock >= 0 else { throw SystemError(operation: "open \(path)") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let code = fog_errno()
            close(lock)
            throw SystemError(code: code, operation: "lock \(path)")
        }
    }

    deinit { if lock >= 0 { close(lock) } }

    /// Others may have the directory.
    func unlock() { flock(lock, LOCK_UN) }

    var graves: Graves? { tombstones.withLock { $0 } }

    private var manifestPath: String { "\(directory)/\(Manifest.fileName)" }
    private func dictionaryPath(_ number: UInt16) -> String {
        "\(directory)/\(number)\(Catalogue.dictionarySuffix)"
    }

    // MARK: start and end

    /// What an earlier process left, when it can be believed: after a clean end, or with complete tombstones and
    /// without the machine having been down.
    func earlierManifest() -> Manifest? {
        guard let text = try? Disk.text(manifestPath, byteCountMax: Manifest.byteCountMax),
            let found = Manifest(text), found.isClean || found.persists
        else { return nil }
        if found.isClean { return found }
        return found.boot == Manifest.bootIdentifier() && found.boot != "unknown" ? found : nil
    }

    /// Removes all that is no part of `kept`; nil keeps nothing.
    func clean(keeping kept: Manifest?) {
        for name in Disk.names(in: directory) {
            let isKept: Bool
            if let number = SegmentFile.number(of: name) {
                isKept = kept?.segments.contains(number) == true
            } else if name.hasSuffix(Catalogue.dictionarySuffix) {
                let number = UInt16(name.dropLast(Catalogue.dictionarySuffix.count))
                isKept = number.map { kept?.dictionaries[$0] != nil } ?? false
            } else if Graves.number(of: name) != nil || name == Manifest.fileName || name == LiveList.fileName {
                isKept = kept != nil
            } else {
                isKept = !name.hasSuffix(".temporary")
            }
            if !isKept { Disk.remove("\(directory)/\(name)") }
        }
    }

    /// From now on the files are this process's: not clean until `finish`.
    func begin(_ earlier: Manifest?) throws(SystemError) {
        let boot = Manifest.bootIdentifier()
        let first = earlier ?? Manifest()
        edit { manifest in
            manifest = first
            manifest.isClean = false
            manifest.persists = persists
            manifest.boot = boot
        }
        // Without tombstones only a clean end leaves something to be believed.
        guard persists else {
            Disk.remove(manifestPath)
            return
        }
        let number = (Graves.numbers(in: directory).last ?? 0) + 1
        let fresh = try Graves(in: directory, number: number)
        tombstones.withLock { $0 = fresh }
        try writeManifest()
    }

    /// The mark of a clean end.
    func finish() throws(SystemError) {
        edit { $0.isClean = true }
        try writeManifest(always: true)
    }

    /// What is on disk must not be believed before the next clean end.
    func forfeit() {
        state.withLock { state in
            state.isForfeited = true
            unsafe _ = unlink(manifestPath)
        }
    }

    /// True after `forfeit`.
    var isForfeited: Bool { state.withLock { $0.isForfeited } }

    /// All segments are gone, now: until the writer has removed their files there is no manifest that names them.
    func forgetSegments() {
        state.withLock { state in
            state.manifest.segments = []
            state.edition += 1
            unsafe _ = unlink(manifestPath)
        }
    }

    /// Puts the manifest as it is now in the place of the old one, unless it changed meanwhile: whoever changed it
    /// writes.
    private func writeManifest(always: Bool = false) throws(SystemError) {
        guard always || persists else { return }
        let temporary = "\(directory)/manifest.temporary"
        let (text, edition) = state.withLock { ($0.manifest.text, $0.edition) }
        let file = try DiskFile(temporary, .replace)
        try file.writeAll(Array(text.utf8).span)
        try file.sync()
        let code = state.withLock { state -> Int32 in
            guard always || (state.edition == edition && !state.isForfeited) else { return 0 }
            return unsafe rename(temporary, manifestPath) == 0 ? 0 : fog_errno()
        }
        guard code == 0 else { throw SystemError(code: code, operation: "rename \(temporary)") }
        try Disk.syncDirectory(of: temporary)
    }

    /// Changes the manifest in memory; `writeManifest` follows.
    private func edit(_ change: (inout Manifest) -> Void) {
        state.withLock { state in
            change(&state.manifest)
            state.edition += 1
        }
    }

    // MARK: segments

    /// The number of the next segment.
    func takeNumber() -> UInt32 {
        state.withLock { state in
            defer { state.manifest.nextNumber += 1 }
            return state.manifest.nextNumber
        }
    }

    func addSegment(_ number: UInt32) throws(SystemError) {
        edit { $0.segments.insert(number) }
        try writeManifest()
    }

    func removeSegments(_ numbers: [UInt32]) throws(SystemError) {
        edit { $0.segments.subtract(numbers) }
        try writeManifest()
    }

    func renewGraves() throws(SystemError) {
        let segments = state.withLock { $0.manifest.segments }
        try graves?.renew(keeping: segments)
    }

    // MARK: dictionaries

    func addDictionary(_ number: UInt16, _ bytes: [UInt8]) throws(SystemError) {
        try Disk.replace(
            dictionaryPath(number), temporary: "\(directory)/dictionary.temporary", with: bytes.span)
        let entry = Manifest.Dictionary(byteCount: bytes.count, checksum: CRC32C.checksum(bytes.span))
        edit { $0.dictionaries[number] = entry }
        try writeManifest()
    }

    func removeDictionary(_ number: UInt16) throws(SystemError) {
        edit { $0.dictionaries[number] = nil }
        try writeManifest()
        Disk.remove(dictionaryPath(number))
    }

    /// The dictionary's bytes, when they are as they were written.
    func readDictionary(_ number: UInt16, _ entry: Manifest.Dictionary) -> [UInt8]? {
        var buffer = ByteBuffer()
        do throws(SystemError) {
            let file = try DiskFile(dictionaryPath(number), .read)
            guard try file.byteCount == entry.byteCount else { return nil }
            try file.read(at: 0, byteCount: entry.byteCount, into: &buffer)
        } catch {
            return nil
        }
        let isWhole = CRC32C.checksum(buffer.span) == entry.checksum
        return isWhole ? buffer.span.array : nil
    }
}
