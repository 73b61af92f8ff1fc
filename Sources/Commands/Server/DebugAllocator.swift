// DebugAllocator.swift - DEBUG MALLCTL and MALLCTL-STR: jemalloc's own names, for tests of memory and for who looks
// into fragmentation. Numbers can be read and set, texts read; what is an action ("thread.tcache.flush") is told by
// VOID.
internal import Base
internal import Engine
internal import RESP

enum DebugAllocator {
    static func number(_ call: inout Call) throws(CommandError) {
        var fresh: Int64?
        if call.arguments.count > 3 { fresh = Int64(try call.integer(3)) }
        let (value, error) = MemoryAccount.number(call.arguments[2].text, setTo: fresh)
        if error != 0 { throw .message(reason(error)) }
        call.reply.integer(Int(value))
    }

    static func text(_ call: inout Call) throws(CommandError) {
        let name = call.arguments[2].text
        if call.arguments.count > 3 {
            let error = MemoryAccount.act(name)
            if error != 0 { throw .message(reason(error)) }
            return call.reply.ok()
        }
        guard let text = MemoryAccount.text(name) else { throw .message("ERR No such file or directory") }
        call.reply.bulk(text)
    }

    private static func reason(_ error: Int32) -> StaticString {
        switch error {
        case 1: "ERR Operation not permitted"
        case 2: "ERR No such file or directory"
        default: "ERR Invalid argument"
        }
    }
}
