// Scripting.swift - what the engine keeps for scripts: two interpreters (EVAL's and FUNCTION's, made when first
// needed), the cache of compiled scripts, the libraries, and the one script that runs. Under the turn.
internal import Base
internal import RESP

/// The script that runs, or the last one that did.
struct RunningScript {
    var isRunning = false
    /// Has been told to others: they get BUSY until it ends.
    var isSlow = false
    var isFunction = false
    /// The client is gone; what the script has begun must still be brought to its end.
    var isOrphan = false
    var session: SessionReference?
    /// The script's digest or the function's name.
    var name: [UInt8] = []
    var refusesWrites = false
    /// Memory was over its limit when the script began, and it did not say that it copes.
    var refusesGrowth = false
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

    func clearCommandReply() { unsafe commandReply.pointee.removeAll(keepingCapacity: Scripting.keptByteCount) }

    // MARK: interpreters

    /// EVAL's interpreter.
    mutating func needScripts() throws(CommandError) {
        if scripts != nil { return }
        scripts = ScriptInterpreter(.scripts)
        if scripts == nil { throw .message("ERR Not enough memory for a script interpreter") }
    }

    /// FUNCTION's interpreter.
    mutating func needFunctions() throws(CommandError) {
        if functions != nil { return }
        functions = ScriptInterpreter(.functions)
        if functions == nil { throw .message("ERR Not enough memory for a script interpreter") }
    }

    /// Bytes of EVAL's interpreter (INFO used_memory_vm_eval).
    package var scriptByteCount: Int { scripts?.byteCount ?? 0 }

    /// Bytes of FUNCTION's interpreter (INFO used_memory_vm_functions).
    package var functionByteCount: Int { functions?.byteCount ?? 0 }

    /// Whether a script has run for so long that other clients get BUSY.
    package var isBusy: Bool { running.isRunning && running.isSlow }
}
