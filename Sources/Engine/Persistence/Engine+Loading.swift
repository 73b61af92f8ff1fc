// Engine+Loading.swift - the dataset's way in: what is known while it is being loaded, and what its file says. The
// loader itself is Persistence's; the server drives it between turns at start, DEBUG RELOAD inside of one.
internal import Base
internal import Keyspace
package import Persistence

extension Engine {
    /// Loading begins: commands are refused with LOADING, except those that may run meanwhile.
    package mutating func beginLoading(byteCount: Int) {
        saving.loading = LoadingState()
        saving.loading.startSecond = clock.nowMilliseconds / 1000
        saving.loading.totalByteCount = byteCount
        setLoading(true)
    }

    /// How far it is.
    package mutating func noteLoading(byteCount: Int) { saving.loading.loadedByteCount = byteCount }

    /// What the file says about the memory that its dataset took.
    package mutating func noteLoading(usedMemory: Int) { saving.loading.usedMemory = usedMemory }

    /// The dataset is complete.
    package mutating func endLoading() {
        openColdTier()
        setLoading(false)
        changes = 0
        saving.lastSaveSecond = clock.nowMilliseconds / 1000
        tellExtensionReload()
    }

    /// What loading a file with the configuration's options means.
    package var loaderOptions: RDBLoader.Options {
        var options = RDBLoader.Options()
        options.checksChecksum = settings.rdbChecksum
        options.triesNewerVersions = settings.rdbVersionCheck == .relaxed
        options.dropsExpired = keyspace.removesExpired
        options.databaseCount = keyspace.databaseCount
        return options
    }

    /// What a loaded file says, in the log as stock servers say it.
    package func report(_ summary: RDBLoader.Summary) {
        let facts = summary.facts
        Log.shared.notice("Loading RDB produced by version \(facts.serverVersion)")
        if let second = facts.createdSecond {
            Log.shared.notice("RDB age \(max(0, clock.nowMilliseconds / 1000 - second)) seconds")
        }
        if let used = facts.usedMemory {
            let hundredths = String(used % 1_048_576 * 100 / 1_048_576 + 100).dropFirst()
            Log.shared.notice("RDB memory usage when created \(used / 1_048_576).\(hundredths) Mb")
        }
        if facts.isAOFBase { Log.shared.notice("RDB is base AOF") }
        for warning in facts.warnings { Log.shared.warning(warning) }
        for key in facts.emptyKeys {
            let shown = settings.hideUserDataFromLog ? "*redacted*" : String(decoding: key, as: UTF8.self)
            Log.shared.notice("skipping empty key: \(shown)")
        }
        let progress = summary.progress
        Log.shared.notice(
            "Done loading RDB, keys loaded: \(progress.keysLoaded), keys expired: \(progress.keysExpired).")
        if progress.emptyKeys > 0 { Log.shared.notice("empty keys skipped: \(progress.emptyKeys).") }
    }

    /// A file was loaded whole: its libraries of functions are registered, its counts kept for INFO. Returns why a
    /// library cannot be, which is as bad as a broken file; nil when all is well.
    package mutating func noteLoaded(_ summary: RDBLoader.Summary, replacesLibraries: Bool = true) -> String? {
        saving.loadedKeys = summary.progress.keysLoaded
        saving.expiredKeys = summary.progress.keysExpired
        for source in summary.facts.functions {
            do throws(ScriptError) {
                _ = try loadLibrary(source.span, replaces: replacesLibraries)
            } catch {
                return "Failed loading functions: \(error.words)"
            }
        }
        return nil
    }

    /// DEBUG RELOAD's second half: the file in the place of the dataset (or added to it), inside one turn. False, and
    /// the dataset as it was, when the file cannot be loaded.
    package mutating func reload(keepsDataset: Bool, replacesKeys: Bool) -> Bool {
        let path = datasetPath
        do throws(SystemError) {
            guard let file = try RDBFile(path) else { return true }
            var options = loaderOptions
            options.replacesKeys = replacesKeys
            var check = options
            check.onlyChecks = true
            // A file that is broken is not to cost the dataset: it is read once before anything is dropped.
            guard loadWhole(file, check) else { return false }
            guard let again = try RDBFile(path) else { return false }
            if !keepsDataset {
                for index in 0..<keyspace.databaseCount { keyspace.flush(index, inBackground: false) }
                removeLibraries()
            }
            defer { tellExtensionReload() }
            return loadWhole(again, options)
        } catch {
            Log.shared.warning("Cannot load \(path): \(error.description)")
            return false
        }
    }

    private mutating func loadWhole(_ file: RDBFile, _ options: RDBLoader.Options) -> Bool {
        var loader = file.loader(limits: settings.valueLimits, options: options)
        do throws(RDBError) {
            while try !loader.run(into: &keyspace, byteCount: .max / 2) {}
        } catch {
            Log.shared.warning(error.text(path: file.path))
            return false
        }
        let replaces = options.replacesKeys
        guard !options.onlyChecks, let reason = noteLoaded(loader.summary, replacesLibraries: replaces) else {
            return true
        }
        Log.shared.warning(reason)
        return false
    }
}
