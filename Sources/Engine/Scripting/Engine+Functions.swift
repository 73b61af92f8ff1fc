// Engine+Functions.swift - loading libraries: reading their first line, compiling, running the main chunk in which they
// register their functions, and putting them in the place of others only when all of that went well. Under the turn.
internal import Base
internal import CLua
package import RESP

/// The first line of a library: `#!lua name=mylib`.
private struct LibraryHead {
    let name: [UInt8]
    let byteCount: Int

    static func read(_ code: Span<UInt8>) throws(ScriptError) -> LibraryHead {
        guard code.starts(with: "#!") else { throw ScriptError("Missing library metadata") }
        guard let end = (0..<code.count).first(where: { code[$0] == 10 }) else {
            throw ScriptError("Invalid library metadata")
        }
        guard let words = ScriptHead.words(code.extracting(0..<end)), !words.isEmpty else {
            throw ScriptError("Invalid library metadata")
        }
        var name: [UInt8]?
        for word in words.dropFirst() {
            guard word.starts(with: Array("name=".utf8)) else {
                throw ScriptError("Invalid metadata value given: \(String(decoding: word, as: UTF8.self))")
            }
            if name != nil {
                throw ScriptError("Invalid metadata value, name argument was given multiple times")
            }
            name = Array(word.dropFirst(5))
        }
        guard let name else { throw ScriptError("Library name was not given") }
        guard FunctionLibraries.isName(name.span) else { throw ScriptError("\(FunctionLibraries.nameText)") }
        let engine = String(decoding: words[0].dropFirst(2), as: UTF8.self)
        guard engine.lowercased() == "lua" else { throw ScriptError("Engine '\(engine)' not found") }
        return LibraryHead(name: name, byteCount: end)
    }
}

extension Engine {
    /// A library's main chunk registers functions; it has no business to take longer.
    private static var loadMicroseconds: Double { 500_000 }

    private static var loadTimeoutText: StaticString { "FUNCTION LOAD timeout" }

    /// FUNCTION LOAD: the library's name.
    package mutating func loadLibrary(_ code: Span<UInt8>, replaces: Bool) throws(ScriptError) -> [UInt8] {
        let head = try LibraryHead.read(code)
        let old = scripting.libraries.library(head.name)
        if old != nil && !replaces {
            throw ScriptError("Library '\(String(decoding: head.name, as: UTF8.self))' already exists")
        }
        let library = try makeLibrary(code, head)
        if let taken = takenName(library, besides: old) {
            forget(library)
            throw ScriptError("Function \(String(decoding: taken, as: UTF8.self)) already exists")
        }
        if old != nil { removeLibrary(head.name) }
        scripting.libraries.add(library)
        return head.name
    }

    mutating func makeLibrary(_ code: Span<UInt8>) throws(ScriptError) -> FunctionLibrary {
        try makeLibrary(code, LibraryHead.read(code))
    }

    private mutating func makeLibrary(
        _ code: Span<UInt8>, _ head: LibraryHead
    ) throws(ScriptError) -> FunctionLibrary {
        do throws(CommandError) {
            try scripting.needFunctions(showsDeprecated: settings.luaEnableDeprecatedAPI)
        } catch {
            throw ScriptError("Not enough memory for a script interpreter")
        }
        guard let interpreter = scripting.functions else { throw ScriptError("No script interpreter") }
        let main: ScriptFunction
        do throws(ScriptCompileError) {
            main = try interpreter.compile(code.extracting(head.byteCount..<code.count), chunk: "@user_function")
        } catch {
            throw ScriptError("Error compiling function: \(String(decoding: error.words, as: UTF8.self))")
        }
        scripting.enlisted = []
        interpreter.setDeadline(
            ticks: ticks() &+ Engine.ticks(microseconds: Engine.loadMicroseconds), failing: Engine.loadTimeoutText)
        let outcome = unsafe withUnsafeMutablePointer(to: &self) { engine in
            unsafe interpreter.load(main, engine: engine)
        }
        interpreter.setDeadline(ticks: UInt64.max)
        interpreter.forget(main)
        let library = FunctionLibrary(name: head.name, code: code.array, functions: scripting.enlisted)
        scripting.enlisted = []
        if case .failed(let failure) = outcome {
            forget(library)
            throw ScriptError("Error registering functions: \(String(decoding: failure.message, as: UTF8.self))")
        }
        if library.functions.isEmpty { throw ScriptError("No functions registered") }
        return library
    }

    /// The first name of `library` that a function of another one has.
    private func takenName(_ library: FunctionLibrary, besides old: FunctionLibrary?) -> [UInt8]? {
        for function in library.functions where scripting.libraries.function(function.name.span) != nil {
            let isReplaced = old?.functions.contains { $0.name.span.equalsIgnoringCase(function.name.span) } == true
            if !isReplaced { return function.name }
        }
        return nil
    }

    func forget(_ library: FunctionLibrary) {
        for function in library.functions { scripting.functions?.forget(function.function) }
    }

    /// FUNCTION DELETE. False when there is no such library.
    @discardableResult
    package mutating func removeLibrary(_ name: [UInt8]) -> Bool {
        guard let library = scripting.libraries.remove(name) else { return false }
        forget(library)
        return true
    }

    /// FUNCTION FLUSH: the libraries go, and their interpreter with everything they left in it.
    package mutating func removeLibraries() {
        scripting.libraries = FunctionLibraries()
        scripting.functions = nil
    }

    /// redis.register_function while a library loads; the words of a refusal.
    mutating func enlist(_ function: fog_function) -> StaticString? {
        let name = unsafe Engine.bytes(function.name)
        guard FunctionLibraries.isName(name.span) else { return FunctionLibraries.nameText }
        for known in scripting.enlisted where known.name.span.equalsIgnoringCase(name.span) {
            return "Function already exists in the library"
        }
        let description = unsafe function.hasDescription != 0 ? Engine.bytes(function.description) : nil
        let (flags, handle) = unsafe (ScriptFlags(rawValue: function.flags), function.function)
        scripting.enlisted.append(
            LibraryFunction(
                name: name, description: description, flags: flags, function: ScriptFunction(handle: handle)))
        return nil
    }

    @unsafe private static func bytes(_ slice: fog_slice) -> [UInt8] {
        unsafe [UInt8](UnsafeBufferPointer(start: slice.base, count: slice.count))
    }
}

extension Call {
    /// FCALL: the function named at 1.
    package mutating func callFunction(isReadOnly: Bool) throws(CommandError) {
        if continuesScript { return goOn() }
        guard let function = administration.scripting.libraries.function(arguments[1]) else {
            throw .message("ERR Function not found")
        }
        guard let number = IntegerText.parse(arguments[2]) else { throw .message("ERR Bad number of keys provided") }
        if number > arguments.count - 3 {
            throw .message("ERR Number of keys can't be greater than number of args")
        }
        if number < 0 { throw .message("ERR Number of keys can't be negative") }
        if let refusal = administration.refusal(of: function.flags, isReadOnly: isReadOnly) { throw .message(refusal) }
        run(
            ScriptStart(
                function: function.function, flags: function.flags, name: .function(function.name), isFunction: true,
                isReadOnly: isReadOnly, firstKey: 3, keyCount: Int(number)))
    }

    /// FUNCTION LOAD.
    package func loadLibrary(_ index: Int, replaces: Bool) throws(CommandError) -> [UInt8] {
        do throws(ScriptError) {
            let name = try administration.loadLibrary(arguments[index], replaces: replaces)
            noteLibraries()
            return name
        } catch { throw refuse(error) }
    }

    /// FUNCTION DELETE.
    package func deleteLibrary(_ index: Int) throws(CommandError) {
        guard administration.removeLibrary(arguments[index].array) else { throw .message("ERR Library not found") }
        noteLibraries()
    }

    /// FUNCTION FLUSH.
    package func flushLibraries() {
        administration.removeLibraries()
        noteLibraries()
    }

    /// The libraries are part of the dataset: files and replicas get the command, though no key changed.
    func noteLibraries() {
        administration.changeCount &+= 1
        propagateAlways()
    }

    package var libraries: FunctionLibraries { administration.scripting.libraries }

    /// FUNCTION STATS: the function that runs for longer than others wait, if any.
    package var slowFunction: (name: [UInt8], milliseconds: Int, session: SessionReference)? {
        guard administration.scripting.isBusy, administration.scripting.running.isFunction,
            let session = administration.scripting.running.session
        else { return nil }
        return (administration.scripting.runningName, administration.scriptMilliseconds, session)
    }

    /// Calls `body` with the words of the command that `session` waits in.
    package func withSuspendedWords(of session: SessionReference, _ body: (borrowing Arguments) -> Void) {
        session.session.suspension?.withArguments(body)
    }
}
