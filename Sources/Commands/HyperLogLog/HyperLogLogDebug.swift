// HyperLogLogDebug.swift - PFDEBUG and PFSELFTEST, for test suites: registers, runs and encoding of a value, and a
// check of the algorithm in the running process. PFSELFTEST holds the turn while it counts to 300 000.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum HyperLogLogDebug {
    static let commands: [Command] = [
        Command(
            "PFDEBUG", "subcommand key", arity: 3, [.write, .denyOOM, .admin, .system],
            keys: [.key(at: 2, [.readWrite, .access])], in: .hyperloglog, since: "2.8.9", complexity: "N/A",
            summary: "Internal commands for debugging HyperLogLog values.", run: debug),
        Command(
            "PFSELFTEST", arity: 1, [.admin, .system], in: .hyperloglog, since: "2.8.9", complexity: "N/A",
            summary: "An internal command for testing HyperLogLog values.", run: selfTest),
    ]

    private static let debug: Command.Handler = { (call: inout Call) throws(CommandError) in
        let subcommand = call.arguments[1]
        // The one subcommand whose second word is no key.
        if subcommand.equalsIgnoringCase("simd") { return try switchVectors(call) }
        guard let slot = try call.find(2, .string) else { throw .message("ERR The specified key does not exist") }
        let encoding = try HyperLogLogValue.encoding(of: slot.entry)
        if subcommand.equalsIgnoringCase("getreg") {
            if encoding == .sparse { try makeDense(call, slot) }
            call.reply.array(HyperLogLog.registerCount)
            for index in 0..<HyperLogLog.registerCount {
                call.reply.integer(Int(HyperLogLog.denseRegister(index, of: slot.entry.stringBytes())))
            }
        } else if subcommand.equalsIgnoringCase("decode") {
            guard encoding == .sparse else { throw .message("ERR HLL encoding is not sparse") }
            var text = ByteBuffer()
            do throws(HyperLogLog.Fault) {
                try HyperLogLog.appendDecoded(slot.entry.stringBytes(), to: &text)
            } catch {
                throw HyperLogLogValue.error(error)
            }
            call.reply.bulk(text.span)
        } else if subcommand.equalsIgnoringCase("encoding") {
            call.reply.simple(encoding == .dense ? "dense" : "sparse")
        } else if subcommand.equalsIgnoringCase("todense") {
            if encoding == .sparse { try makeDense(call, slot) }
            call.reply.integer(encoding == .sparse ? 1 : 0)
        } else {
            var text = ByteBuffer()
            text.append("ERR Unknown PFDEBUG subcommand '")
            text.append(subcommand)
            text.append("'")
            call.reply.error(text.span)
        }
    }

    /// Turns the value dense. Its cardinality stays, so no event tells of it.
    private static func makeDense(_ call: borrowing Call, _ slot: EntryTable.Slot) throws(CommandError) {
        var value = HyperLogLogValue.copy(slot.entry)
        do throws(HyperLogLog.Fault) {
            _ = try HyperLogLog.makeDense(&value)
        } catch {
            throw HyperLogLogValue.error(error)
        }
        HyperLogLogValue.store(value.span, call, 2, slot)
        call.changed("", [], key: call.arguments[2])
    }

    /// PFDEBUG SIMD: dense values merge by vectors, or register by register, until it is switched again.
    private static func switchVectors(_ call: borrowing Call) throws(CommandError) {
        if call.arguments[2].equalsIgnoringCase("on") {
            call.mergesByVectors = true
            call.reply.simple("enabled")
        } else if call.arguments[2].equalsIgnoringCase("off") {
            call.mergesByVectors = false
            call.reply.simple("disabled")
        } else {
            throw .message("ERR Argument must be ON or OFF")
        }
    }

    private static let selfTest: Command.Handler = { (call: inout Call) throws(CommandError) in
        if let failure = HyperLogLogSelfTest.run(seed: call.random()) {
            return call.reply.error("TESTFAILED " + failure)
        }
        call.reply.ok()
    }
}
