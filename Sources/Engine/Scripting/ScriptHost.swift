// ScriptHost.swift - what the C edge calls while a script runs. Each function returns before anything can be raised:
// Lua's errors unwind C frames only. `context` is the engine, whose turn the script's caller holds.
internal import Base
internal import CLua
internal import RESP

enum ScriptHost {
    /// The callbacks; the engine is filled in for every run.
    static var table: fog_host {
        unsafe fog_host(
            context: nil, command: command, append: append, appendDouble: appendDouble, log: log, permits: permits,
            enlist: enlist, propagate: propagate, ticks: ticks)
    }

    private static let command:
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafePointer<fog_slice>?, Int, Int32, UnsafeMutablePointer<UInt64>?
        ) -> fog_slice = {
            context, words, count, protocolVersion, end in
            guard let engine = unsafe ScriptHost.engine(context), let words = unsafe words else {
                return unsafe fog_slice()
            }
            let slices = unsafe UnsafeRawPointer(words).assumingMemoryBound(to: ArgumentSlice.self)
            let arguments = unsafe Arguments(unchecked: slices, count: count)
            let reply = unsafe engine.pointee.runFromScript(arguments, protocolVersion: Int(protocolVersion))
            // The command's own last look at the clock serves the script as well.
            unsafe end?.pointee = engine.pointee.stamp
            return unsafe reply
        }

    private static let append: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<UInt8>?, Int) -> Void = {
        context, bytes, count in
        guard let engine = unsafe ScriptHost.engine(context), let reply = unsafe engine.pointee.scripting.reply else {
            return
        }
        unsafe reply.buffer.append(bytes, count: count)
    }

    private static let appendDouble: @convention(c) (UnsafeMutableRawPointer?, Double) -> Void = { context, value in
        guard let engine = unsafe ScriptHost.engine(context), let reply = unsafe engine.pointee.scripting.reply else {
            return
        }
        var text = ByteBuffer()
        DoubleText.append(value, to: &text)
        reply.double(text: text.span)
    }

    private static let log: @convention(c) (UnsafeMutableRawPointer?, Int32, UnsafePointer<UInt8>?, Int) -> Void = {
        _, level, bytes, count in
        let text = unsafe String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
        switch level {
        case 0: Log.shared.debug(text)
        case 1: Log.shared.verbose(text)
        case 2: Log.shared.notice(text)
        default: Log.shared.warning(text)
        }
    }

    private static let permits: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<fog_slice>?, Int) -> Int32 = {
        context, words, count in
        guard let engine = unsafe ScriptHost.engine(context), let words = unsafe words else { return -1 }
        let slices = unsafe UnsafeRawPointer(words).assumingMemoryBound(to: ArgumentSlice.self)
        let arguments = unsafe Arguments(unchecked: slices, count: count)
        return unsafe engine.pointee.scriptPermits(arguments)
    }

    private static let enlist:
        @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<fog_function>?) -> UnsafePointer<CChar>? = {
            context, function in
            guard let engine = unsafe ScriptHost.engine(context), let function = unsafe function else { return nil }
            guard let refusal = unsafe engine.pointee.enlist(function.pointee) else { return nil }
            return unsafe UnsafeRawPointer(refusal.utf8Start).assumingMemoryBound(to: CChar.self)
        }

    private static let propagate: @convention(c) (UnsafeMutableRawPointer?, Int32) -> Void = { context, targets in
        guard let engine = unsafe ScriptHost.engine(context) else { return }
        unsafe engine.pointee.journal.allowed = JournalReaders(rawValue: UInt8(truncatingIfNeeded: targets))
    }

    private static let ticks: @convention(c) () -> UInt64 = { Ticks.now(usesCounter: Ticks.usesCounter) }

    @unsafe private static func engine(_ context: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<Engine>? {
        unsafe context?.assumingMemoryBound(to: Engine.self)
    }
}
