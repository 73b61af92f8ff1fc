// AppendOnlyPlaces.swift - where the append only file's parts lie, named as Redis names them, and what a killed server
// may have left beside them. Any thread.
internal import Base
internal import CLinux
internal import Engine
internal import Persistence
internal import Reactor

struct AppendOnlyPlaces: Sendable {
    /// `dir`.
    let root: String
    /// `appenddirname` in it.
    let directory: String
    /// `appendfilename`.
    let prefix: String

    init(_ config: Config) {
        let path = config.string("dir")
        root = path.isEmpty ? "." : path
        directory = root + "/" + config.string("appenddirname")
        prefix = config.string("appendfilename")
    }

    func path(_ entry: AOFManifest.Entry) -> String { directory + "/" + entry.name }
    var manifest: String { directory + "/" + prefix + ".manifest" }
    var temporaryManifest: String { directory + "/temp-" + prefix + ".manifest" }
    /// Where servers before Redis 7 kept the one file they had.
    var oldFile: String { root + "/" + prefix }
    /// A rewrite writes here.
    var temporaryBase: String {
        directory + "/temp-rewriteaof-bg-\(getpid())-\(RDBFile.temporaryNumber()).aof"
    }

    /// Removes what rewrites that were killed have left. Returns how many files went.
    func sweep() -> Int {
        var count = 0
        for place in [root, directory] {
            for name in Disk.names(in: place) where isLeftover(name) && Disk.remove(place + "/" + name) { count += 1 }
        }
        if Disk.remove(temporaryManifest) { count += 1 }
        return count
    }

    private func isLeftover(_ name: String) -> Bool {
        name.hasPrefix("temp-rewriteaof-") && name.hasSuffix(".aof") || name == "temp-appendonly.aof.incr"
    }
}
