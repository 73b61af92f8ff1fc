// FunctionList.swift - FUNCTION LIST and FUNCTION STATS: what is loaded, and what runs. Under the turn.
internal import Base
internal import Engine
internal import RESP

enum FunctionList {
    static func run(_ call: inout Call) throws(CommandError) {
        var pattern: [UInt8]?
        var withCode = false
        var options = call.options(from: 2)
        while !options.isAtEnd {
            if !withCode && options.take("withcode") {
                withCode = true
            } else if pattern == nil && options.take("libraryname") {
                guard !options.isAtEnd else { throw .message("ERR library name argument was not given") }
                pattern = try options.next().array
            } else {
                call.reply.error("ERR Unknown argument \(try options.next().text)")
                throw .written
            }
        }
        let libraries = call.libraries.all.filter { library in
            guard let pattern else { return true }
            return Glob.matches(pattern: pattern.span, text: library.name.span, ignoringCase: true)
        }
        call.reply.array(libraries.count)
        for library in libraries { write(library, withCode: withCode, call.reply) }
    }

    private static func write(_ library: FunctionLibrary, withCode: Bool, _ reply: Reply) {
        reply.map(withCode ? 4 : 3)
        reply.bulk("library_name")
        reply.bulk(library.name.span)
        reply.bulk("engine")
        reply.bulk("LUA")
        reply.bulk("functions")
        reply.array(library.functions.count)
        for function in library.functions {
            reply.map(3)
            reply.bulk("name")
            reply.bulk(function.name.span)
            reply.bulk("description")
            if let description = function.description { reply.bulk(description.span) } else { reply.null() }
            reply.bulk("flags")
            reply.set(function.flags.shown.count)
            for flag in function.flags.shown { reply.simple(flag) }
        }
        guard withCode else { return }
        reply.bulk("library_code")
        reply.bulk(library.code.span)
    }

    static func statistics(_ call: inout Call) throws(CommandError) {
        let reply = call.reply
        reply.map(2)
        reply.bulk("running_script")
        if let slow = call.slowFunction {
            reply.map(3)
            reply.bulk("name")
            reply.bulk(slow.name.span)
            reply.bulk("command")
            let mark = reply.buffer.count
            call.withSuspendedWords(of: slow.session) { words in
                reply.array(words.count)
                for index in 0..<words.count { reply.bulk(words[index]) }
            }
            if reply.buffer.count == mark { reply.array(0) }
            reply.bulk("duration_ms")
            reply.integer(slow.milliseconds)
        } else {
            reply.null()
        }
        reply.bulk("engines")
        reply.map(1)
        reply.bulk("LUA")
        reply.map(2)
        reply.bulk("libraries_count")
        reply.integer(call.libraries.all.count)
        reply.bulk("functions_count")
        reply.integer(call.libraries.functionCount)
    }
}
