// Call+Scripts.swift - the doors of EVAL, FCALL and their kin: from a command line to a script that runs, and from its
// outcome to a reply. Under the turn.
internal import Base
internal import RESP

extension Call {
    // MARK: EVAL

    /// EVAL (a text at 1) or EVALSHA (a digest at 1). A command that was paused in the middle of its script goes on.
    package mutating func evaluate(byDigest: Bool, isReadOnly: Bool) throws(CommandError) {
        if continuesScript { return goOn() }
        if byDigest && arguments[1].count != 40 { throw .message("NOSCRIPT No matching script. Please use EVAL.") }
        let keyCount = try scriptKeyCount("ERR value is not an integer or out of range")
        try administration.scripting.needScripts(showsDeprecated: settings.luaEnableDeprecatedAPI)
        let index: Int
        if byDigest {
            guard let found = administration.scripting.cache.find(digest: arguments[1]) else {
                throw .message("NOSCRIPT No matching script. Please use EVAL.")
            }
            index = found
        } else if let found = administration.scripting.cache.find(text: arguments[1]) {
            index = found
        } else {
            index = try compileScript(arguments[1], isKept: false)
        }
        guard let function = administration.scripting.cache.function(index) else {
            throw .message("NOSCRIPT No matching script. Please use EVAL.")
        }
        let flags = administration.scripting.cache.flags(index)
        if let refusal = administration.refusal(of: flags, isReadOnly: isReadOnly) { throw .message(refusal) }
        run(
            ScriptStart(
                function: function, flags: flags, name: .cached(index), isFunction: false, isReadOnly: isReadOnly,
                firstKey: 3, keyCount: keyCount))
    }

    /// The number of keys at 2, which must fit the words behind it.
    private func scriptKeyCount(_ malformed: StaticString) throws(CommandError) -> Int {
        guard let number = IntegerText.parse(arguments[2]) else { throw .message(malformed) }
        if number > arguments.count - 3 {
            throw .message("ERR Number of keys can't be greater than number of args")
        }
        if number < 0 { throw .message("ERR Number of keys can't be negative") }
        return Int(number)
    }

    /// Compiles a script that the cache does not have under this text; answers its place there.
    private func compileScript(_ text: Span<UInt8>, isKept: Bool) throws(CommandError) -> Int {
        let digest = Array(SHA1.hex(text).utf8)
        if let index = administration.scripting.cache.find(digest: digest.span) { return index }
        let head: ScriptHead
        do throws(ScriptError) { head = try ScriptHead.read(text) } catch { throw refuse(error) }
        guard let interpreter = administration.scripting.scripts else { throw .outOfMemory }
        let function: ScriptFunction
        do throws(ScriptCompileError) {
            function = try interpreter.compile(
                text.extracting(head.byteCount..<text.count), chunk: "@user_script")
        } catch {
            throw refuse(
                ScriptError("Error compiling script (new function): \(String(decoding: error.words, as: UTF8.self))"))
        }
        let index = administration.scripting.cache.add(
            text: text, digest: digest, function: function, flags: head.flags, isKept: isKept)
        while let old = administration.scripting.cache.evict(sparing: index) { interpreter.forget(old) }
        return index
    }

    /// Writes the refusal.
    func refuse(_ error: ScriptError) -> CommandError {
        reply.error("ERR " + error.words)
        return .written
    }

    // MARK: SCRIPT

    /// SCRIPT LOAD: the digest under which the script is kept.
    package func loadScript(_ index: Int) throws(CommandError) -> [UInt8] {
        try administration.scripting.needScripts(showsDeprecated: settings.luaEnableDeprecatedAPI)
        let place: Int
        if let found = administration.scripting.cache.find(text: arguments[index]) {
            place = found
        } else {
            place = try compileScript(arguments[index], isKept: true)
        }
        administration.scripting.cache.keep(place)
        return administration.scripting.cache.digest(place)
    }

    /// SCRIPT EXISTS.
    package func hasScript(_ index: Int) -> Bool {
        administration.scripting.cache.contains(digest: arguments[index])
    }

    /// SCRIPT SHOW: the text of the script with the digest in argument `index`.
    package func scriptText(_ index: Int) -> [UInt8]? {
        guard let place = administration.scripting.cache.find(digest: arguments[index]) else { return nil }
        return administration.scripting.cache.text(place)
    }

    /// SCRIPT FLUSH: all scripts go, and their interpreter with everything they left in it.
    package func flushScripts() {
        administration.scripting.cache.removeAll()
        administration.scripting.scripts = nil
    }

    /// SCRIPT KILL and FUNCTION KILL.
    package func killScript(asFunction: Bool) throws(CommandError) {
        try administration.killScript(asFunction: asFunction)
    }

    // MARK: running

    /// Whether this command was paused in its script and goes on now.
    var continuesScript: Bool {
        resumption != nil && administration.scripting.running.isRunning
            && administration.scripting.running.session == sessionReference
    }

    mutating func run(_ start: ScriptStart) {
        let mark = reply.buffer.count
        finish(administration.startScript(start, sessionReference, arguments, reply: reply), mark: mark)
    }

    mutating func goOn() {
        let mark = reply.buffer.count
        finish(administration.continueScript(reply: reply), mark: mark)
    }

    private mutating func finish(_ outcome: ScriptOutcome, mark: Int) {
        switch outcome {
        case .done(let isCounted):
            guard isCounted else { break }
            var isError = false
            reply.buffer.withBytes { bytes in isError = bytes.count > mark && bytes[mark] == UInt8(ascii: "-") }
            administration.isErrorCounted = isError
        case .failed(let failure):
            reply.buffer.truncate(to: mark)
            write(failure)
        case .paused:
            reply.buffer.truncate(to: mark)
            administration.pauseScript()
            return suspend(.script, deadline: nil)
        }
        administration.endScript()
    }

    /// "CODE words script: name, on @user_script:1."
    private func write(_ failure: ScriptFailure) {
        var text = ByteBuffer()
        text.append(failure.message)
        if failure.line >= 0 || !failure.source.isEmpty {
            text.append(" script: ")
            text.append(administration.scripting.runningName)
            text.append(", on ")
            text.append(failure.source)
            text.append(":\(failure.line).")
        }
        reply.error(text.span)
        administration.isErrorCounted = failure.isCounted
    }
}
