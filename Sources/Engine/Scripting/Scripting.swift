// Scripting.swift - what the engine keeps for scripts: two interpreters (EVAL's and FUNCTION's, made when first
// needed), the cache of compiled scripts, the libraries, and the one script that runs. Under the turn.
internal import Base
internal import RESP

/// What errors and logs call a script; spelled out only for them.
enum ScriptName {
    /// The digest of the script at this place of the cache.
    case cached(Int)
    case function([UInt8])
}

/// The script that runs, or the last one that did.
struct RunningScript {
    var isRunning = false
    /// Has been told to others: they get BUSY until it ends.
    var isSlow = false
    var isFunction = false
    /// The client is gone; what the script has begun must still be brought to its end.
    var isOrphan = false
    var session: SessionReference?
    var name = ScriptName.function([])
    var refusesWrites = false
    /// Memory was over its limit when the script began, and it did not say that it copes.
    var refusesGrowth = false
    /// It did not say that it copes when a class is over its limit.
    var heedsClassLimits = false
    /// A write command ran: stopping now would leave half of the script's work.
    var hasWritten = false
    /// The database that the script has selected, while it is paused.
    var database = 0
    /// The instant all its commands see.
    var now: Int64 = 0
    var startTicks: UInt64 = 0
    /// What is put back when it ends.
    var scope = NestingScope(context: .client, database: 0)
}

@safe package struct Scripting: ~Copyable {
    var scripts: ScriptInterpreter?
    var functions: ScriptInterpreter?
    package internal(set) var cache = ScriptCache()
    package internal(set) var libraries = FunctionLibraries()
    var running = RunningScript()
    /// Where the running script's result goes.
    var reply: Reply?
    /// The reply of the command that a script runs; one buffer for all of them.
    let commandReply: UnsafeMutablePointer<ByteBuffer>
    /// What a library's main chunk has registered so far.
    var enlisted: [LibraryFunction] = []

    /// Room that the buffer of commands' replies keeps.
    private static let keptByteCount = 64 << 10

    init() {
        unsafe commandReply = .allocate(capacity: 1)
        unsafe commandReply.initialize(to: ByteBuffer())
    }

    deinit {
        unsafe commandReply.deinitialize(count: 1)
        unsafe commandReply.deallocate()
    }

    /// The running script's digest or function name.
    var runningName: [UInt8] {
        switch running.name {
        case .cached(let index): cache.digest(index)
        case .function(let name): name
        }
    }

    func clearCommandReply() { unsafe commandReply.pointee.removeAll(keepingCapacity: Scripting.keptByteCount) }

    // MARK: interpreters

    /// EVAL's interpreter.
    mutating func needScripts(showsDeprecated: Bool) throws(CommandError) {
        if scripts != nil { return }
        scripts = ScriptInterpreter(.scripts, showsDeprecated: showsDeprecated)
        if scripts == nil { throw .message("ERR Not enough memory for a script interpreter") }
    }

    /// FUNCTION's interpreter.
    mutating func needFunctions(showsDeprecated: Bool) throws(CommandError) {
        if functions != nil { return }
        functions = ScriptInterpreter(.functions, showsDeprecated: showsDeprecated)
        if functions == nil { throw .message("ERR Not enough memory for a script interpreter") }
    }

    /// Whether a script has run for so long that other clients get BUSY.
    package var isBusy: Bool { running.isRunning && running.isSlow }
}

/// What INFO and MEMORY STATS tell about scripts.
package struct ScriptFigures {
    /// Bytes of the interpreters.
    package let evalByteCount: Int
    package let functionByteCount: Int
    /// Bytes of texts and tables outside of them.
    package let cacheByteCount: Int
    package let libraryByteCount: Int
    package let cachedCount: Int
    package let evictedCount: Int
    package let functionCount: Int
    package let libraryCount: Int
}

extension Call {
    package var scriptFigures: ScriptFigures {
        ScriptFigures(
            evalByteCount: administration.scripting.scripts?.byteCount ?? 0,
            functionByteCount: administration.scripting.functions?.byteCount ?? 0,
            cacheByteCount: administration.scripting.cache.byteCount,
            libraryByteCount: administration.scripting.libraries.byteCount,
            cachedCount: administration.scripting.cache.count,
            evictedCount: administration.scripting.cache.evictedCount,
            functionCount: administration.scripting.libraries.functionCount,
            libraryCount: administration.scripting.libraries.all.count)
    }
}
