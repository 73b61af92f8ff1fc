// Eval.swift - EVAL, EVALSHA, FCALL and their read-only forms. What they do is the engine's (`Engine/Scripting`): a
// script is compiled once, found by its text or digest, and runs other commands inside of this one. Under the turn.
internal import Engine

enum Eval {
    private static let flags: CommandFlags = [.noScript, .stale, .skipMonitor, .noMandatoryKeys, .movableKeys]
    private static let scriptComplexity = "Depends on the script that is executed."
    private static let functionComplexity = "Depends on the function that is executed."
    private static let writes = "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE"
    private static let reads = "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS"

    static let commands: [Command] = [
        Command(
            "EVAL", "script numkeys:integer [key...] [arg...]", arity: -3, flags.union(.mayReplicate),
            keys: [.counted(at: 2, [.readWrite, .access, .update], notes: writes)], in: .scripting, since: "2.6.0",
            complexity: scriptComplexity, summary: "Executes a server-side Lua script.",
            run: { (call: inout Call) throws(CommandError) in
                try call.evaluate(byDigest: false, isReadOnly: false)
            }),
        Command(
            "EVALSHA", "sha1 numkeys:integer [key...] [arg...]", arity: -3, flags.union(.mayReplicate),
            keys: [.counted(at: 2, [.readWrite, .access, .update])], in: .scripting, since: "2.6.0",
            complexity: scriptComplexity, summary: "Executes a server-side Lua script by SHA1 digest.",
            run: { (call: inout Call) throws(CommandError) in
                try call.evaluate(byDigest: true, isReadOnly: false)
            }),
        Command(
            "EVAL_RO", "script numkeys:integer [key...] [arg...]", arity: -3, flags.union(.readonly),
            keys: [.counted(at: 2, [.readOnly, .access], notes: reads)], in: .scripting, since: "7.0.0",
            complexity: scriptComplexity, summary: "Executes a read-only server-side Lua script.",
            run: { (call: inout Call) throws(CommandError) in try call.evaluate(byDigest: false, isReadOnly: true) }),
        Command(
            "EVALSHA_RO", "sha1 numkeys:integer [key...] [arg...]", arity: -3, flags.union(.readonly),
            keys: [.counted(at: 2, [.readOnly, .access])], in: .scripting, since: "7.0.0",
            complexity: scriptComplexity, summary: "Executes a read-only server-side Lua script by SHA1 digest.",
            run: { (call: inout Call) throws(CommandError) in try call.evaluate(byDigest: true, isReadOnly: true) }),
        Command(
            "FCALL", "function numkeys:integer [key...] [arg...]", arity: -3, flags.union(.mayReplicate),
            keys: [.counted(at: 2, [.readWrite, .access, .update], notes: writes)], in: .scripting, since: "7.0.0",
            complexity: functionComplexity, summary: "Invokes a function.",
            run: { (call: inout Call) throws(CommandError) in try call.callFunction(isReadOnly: false) }),
        Command(
            "FCALL_RO", "function numkeys:integer [key...] [arg...]", arity: -3, flags.union(.readonly),
            keys: [.counted(at: 2, [.readOnly, .access], notes: reads)], in: .scripting, since: "7.0.0",
            complexity: functionComplexity, summary: "Invokes a read-only function.",
            run: { (call: inout Call) throws(CommandError) in try call.callFunction(isReadOnly: true) }),
    ]
}
