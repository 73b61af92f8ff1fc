// ScriptInterpreter.swift - a Lua interpreter as Swift sees it: a handle of the C edge (`CLua`), which holds everything
// that can raise a Lua error. Nothing here raises, and no callback of it outlives its call. Under the turn.
internal import Base
internal import CLua
internal import RESP

/// How a script left the interpreter.
enum ScriptOutcome {
    /// `isCounted`: an error that it may have returned is that of a command, which was counted when that answered.
    case done(isCounted: Bool)
    case failed(ScriptFailure)
    /// It has run for too long and waits in the middle; go on with `resume`.
    case paused
}

/// What went wrong in a script.
struct ScriptFailure {
    /// With its code in front.
    let message: [UInt8]
    /// Where, as Lua names chunks: "@user_script"; empty when unknown.
    let source: [UInt8]
    let line: Int
    /// It is the error of a command, which was counted when that answered.
    let isCounted: Bool

    init(message: [UInt8], source: [UInt8] = [], line: Int = -1, isCounted: Bool = false) {
        self.message = message
        self.source = source
        self.line = line
        self.isCounted = isCounted
    }

    @unsafe fileprivate init(_ failure: fog_failure) {
        message = unsafe ScriptFailure.bytes(failure.message)
        source = unsafe ScriptFailure.bytes(failure.source)
        line = unsafe Int(failure.line)
        isCounted = unsafe failure.isCounted != 0
    }

    @unsafe private static func bytes(_ slice: fog_slice) -> [UInt8] {
        guard let base = unsafe slice.base else { return [] }
        return unsafe [UInt8](UnsafeBufferPointer(start: base, count: slice.count))
    }
}

/// Handle of a compiled function.
struct ScriptFunction {
    let handle: Int32
}

@safe final class ScriptInterpreter {
    enum Kind: Int32 {
        /// EVAL's world: KEYS and ARGV are globals.
        case scripts = 0
        /// FUNCTION's: both are arguments.
        case functions = 1
    }

    private let lua: OpaquePointer

    /// What all scripts of one interpreter hold together, at most: beyond any honest script, below what hurts a server.
    static let byteCountMax = 512 << 20

    /// Nil when the system refuses the memory.
    init?(_ kind: Kind, showsDeprecated: Bool) {
        let isSameLayout =
            unsafe MemoryLayout<ArgumentSlice>.size == MemoryLayout<fog_slice>.size
            && MemoryLayout<ArgumentSlice>.stride == MemoryLayout<fog_slice>.stride
        precondition(isSameLayout, "a command's words have one layout on both sides of the edge")
        var host = unsafe ScriptHost.table
        let made = unsafe fog_lua_new(
            &host, kind.rawValue, ScriptInterpreter.byteCountMax, FogVersion.redis, UInt32(FogVersion.redisNumber),
            showsDeprecated ? 1 : 0)
        guard let made = unsafe made else { return nil }
        unsafe lua = made
    }

    deinit { unsafe fog_lua_free(lua) }

    /// Memory it holds.
    var byteCount: Int { unsafe fog_lua_byte_count(lua) }

    func collect() { unsafe fog_lua_collect(lua) }

    // MARK: compiling

    /// Compiles `text`; `chunk` names it in errors.
    func compile(_ text: Span<UInt8>, chunk: StaticString) throws(ScriptCompileError) -> ScriptFunction {
        var failure = unsafe fog_failure()
        let handle = unsafe text.withUnsafeBufferPointer { bytes in
            let slice = unsafe fog_slice(base: bytes.baseAddress, count: bytes.count)
            return unsafe chunk.utf8Start.withMemoryRebound(to: CChar.self, capacity: chunk.utf8CodeUnitCount + 1) {
                unsafe fog_lua_compile(lua, slice, $0, &failure)
            }
        }
        if handle < 0 { throw ScriptCompileError(words: unsafe ScriptFailure(failure).message) }
        return ScriptFunction(handle: handle)
    }

    func forget(_ function: ScriptFunction) { unsafe fog_lua_forget(lua, function.handle) }

    // MARK: running

    /// Runs `function` with the words from `firstKey` on, of which `keyCount` are keys. `engine` is what callbacks get.
    @unsafe func start(
        _ function: ScriptFunction, _ arguments: borrowing Arguments, firstKey: Int, keyCount: Int,
        protocolVersion: Int, engine: UnsafeMutablePointer<Engine>
    ) -> ScriptOutcome {
        let slices = unsafe arguments.slices
        precondition(firstKey + keyCount <= slices.count && keyCount >= 0, "keys are among the words")
        let words = unsafe UnsafeRawPointer(slices.baseAddress)?.assumingMemoryBound(to: fog_slice.self)
        let keys = unsafe words.map { unsafe $0 + firstKey }
        let rest = unsafe keys.map { unsafe $0 + keyCount }
        var run = unsafe fog_run(
            function: function.handle, keys: keys, keyCount: keyCount, arguments: rest,
            argumentCount: slices.count - firstKey - keyCount, protocol: Int32(truncatingIfNeeded: protocolVersion))
        var failure = unsafe fog_failure()
        let status = unsafe fog_lua_start(lua, &run, engine, &failure)
        return unsafe outcome(status, failure)
    }

    /// Goes on with a paused script.
    @unsafe func resume(engine: UnsafeMutablePointer<Engine>) -> ScriptOutcome {
        var failure = unsafe fog_failure()
        let status = unsafe fog_lua_continue(lua, engine, &failure)
        return unsafe outcome(status, failure)
    }

    /// Runs a library's main chunk; its functions arrive at `Engine.enlist`.
    @unsafe func load(_ function: ScriptFunction, engine: UnsafeMutablePointer<Engine>) -> ScriptOutcome {
        var failure = unsafe fog_failure()
        let status = unsafe fog_lua_load_library(lua, function.handle, engine, &failure)
        return unsafe outcome(status, failure)
    }

    @unsafe private func outcome(_ status: Int32, _ failure: fog_failure) -> ScriptOutcome {
        switch status {
        case Int32(FOG_LUA_DONE): .done(isCounted: unsafe failure.isCounted != 0)
        case Int32(FOG_LUA_PAUSED): .paused
        default: .failed(unsafe ScriptFailure(failure))
        }
    }

    /// From this tick on the script pauses; it fails instead when `failing` says with which words.
    func setDeadline(ticks: UInt64, failing words: StaticString? = nil) {
        unsafe fog_lua_set_pause(lua, ticks)
        unsafe fog_lua_set_timeout_error(lua, words.map { unsafe ScriptInterpreter.text($0) })
    }

    /// The paused script fails when it goes on, whatever it does to catch errors.
    func kill(_ words: StaticString) { unsafe fog_lua_kill(lua, ScriptInterpreter.text(words)) }

    @unsafe private static func text(_ words: StaticString) -> UnsafePointer<CChar> {
        unsafe UnsafeRawPointer(words.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}

/// The compiler's words.
struct ScriptCompileError: Error {
    let words: [UInt8]
}
