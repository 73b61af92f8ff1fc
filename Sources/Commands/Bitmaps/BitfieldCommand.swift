// BitfieldCommand.swift - BITFIELD and BITFIELD_RO: integers of any width at any bit of a string. Engine's turn. The
// words are read twice, first all of them to refuse mistakes before anything changes, then one by one to carry them
// out: so no list of operations is made.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum BitfieldCommand {
    static let commands: [Command] = [
        Command(
            "BITFIELD",
            """
            key [operation=(get-block=GET (encoding offset:integer) | write=([overflow-block=OVERFLOW (WRAP | SAT | \
            FAIL)] write-operation=(set-block=SET (encoding offset:integer value:integer) | incrby-block=INCRBY \
            (encoding offset:integer increment:integer))))...]
            """,
            arity: -2, [.write, .denyOOM],
            keys: [
                .key(
                    [.readWrite, .access, .update, .variableFlags],
                    notes: "This command allows both access and modification of the key")
            ],
            in: .bitmap, since: "3.2.0", complexity: "O(1) for each subcommand specified",
            summary: "Performs arbitrary bitfield integer operations on strings.", run: run),
        Command(
            "BITFIELD_RO", "key [get-block=GET (encoding offset:integer)]...", arity: -2, [.readonly, .fast],
            keys: [.key([.readOnly, .access])], in: .bitmap, since: "6.0.0",
            complexity: "O(1) for each subcommand specified",
            summary: "Performs arbitrary read-only bitfield integer operations on strings.", run: runReading),
    ]

    private static let run: Command.Handler = { (call: inout Call) throws(CommandError) in
        let plan = try Plan(Operations(call.arguments, byteCountMax: call.settings.protoMaxBulkLength))
        if plan.byteCount == 0 { return try read(&call, plan) }
        try write(&call, plan)
    }

    private static let runReading: Command.Handler = { (call: inout Call) throws(CommandError) in
        let plan = try Plan(Operations(call.arguments, byteCountMax: call.settings.protoMaxBulkLength))
        guard plan.byteCount == 0 else { throw .message("ERR BITFIELD_RO only supports the GET subcommand") }
        try read(&call, plan)
    }

    private static func read(_ call: inout Call, _ plan: Plan) throws(CommandError) {
        var operations = Operations(call.arguments, byteCountMax: call.settings.protoMaxBulkLength)
        let entry = try call.read(1, .string)
        call.reply.array(plan.operationCount)
        while let operation = try operations.next() {
            let value = entry?.withStringBytes { Bitfield.read(operation.type, at: operation.offset, in: $0) }
            call.reply.integer(Int(value ?? 0))
        }
    }

    private static func write(_ call: inout Call, _ plan: Plan) throws(CommandError) {
        let arguments = call.arguments
        let byteCountMax = call.settings.protoMaxBulkLength
        let reply = call.reply
        var changed = false
        let grew = try call.editBits(byteCount: plan.byteCount) { bytes in
            reply.array(plan.operationCount)
            var operations = Operations(arguments, byteCountMax: byteCountMax)
            // The plan has read the same words without a mistake.
            while let operation = try? operations.next() {
                if perform(operation, in: &bytes, reply) { changed = true }
            }
        }
        // A field that overflow keeps from being written still makes the string longer; Redis sends no event for that,
        // but the journal and WATCH have to know.
        if grew || changed { call.changed("setbit", .string, key: call.arguments[1]) }
    }

    /// Carries out one operation and answers it; whether the bytes are other ones now.
    private static func perform(_ operation: Operation, in bytes: inout MutableSpan<UInt8>, _ reply: Reply) -> Bool {
        let type = operation.type
        let old = Bitfield.read(type, at: operation.offset, in: bytes.span)
        let new: Int64?
        switch operation.action {
        case .get: new = old
        case .set: new = Bitfield.fit(operation.operand, in: type, overflow: operation.overflow)
        case .increment: new = Bitfield.add(operation.operand, to: old, in: type, overflow: operation.overflow)
        }
        guard let new else {
            reply.null()
            return false
        }
        reply.integer(Int(operation.action == .increment ? new : old))
        if new == old { return false }
        Bitfield.write(new, type, at: operation.offset, in: &bytes)
        return true
    }

    // MARK: words

    private enum Action {
        case get, set, increment
    }

    private struct Operation {
        let action: Action
        let type: BitfieldType
        let offset: Int
        /// The value to set or to add.
        let operand: Int64
        let overflow: BitfieldOverflow
    }

    /// What all operations together need.
    private struct Plan {
        private(set) var operationCount = 0
        /// Bytes that the string must have for its writers; 0 when there are only readers.
        private(set) var byteCount = 0

        init(_ words: consuming Operations) throws(CommandError) {
            while let operation = try words.next() {
                operationCount += 1
                if operation.action == .get { continue }
                let end = Bitfield.byteCount(covering: operation.offset, width: operation.type.width)
                byteCount = max(byteCount, end ?? 0)
            }
        }
    }

    /// The operations that a command's words spell, one after the other.
    private struct Operations: ~Escapable {
        private var words: Options
        private var overflow = BitfieldOverflow.wrap
        private let byteCountMax: Int

        @_lifetime(copy arguments)
        init(_ arguments: Arguments, byteCountMax: Int) {
            words = Options(arguments, from: 2)
            self.byteCountMax = byteCountMax
        }

        mutating func next() throws(CommandError) -> Operation? {
            while words.take("OVERFLOW", values: 1) { overflow = try overflowWord() }
            if words.isAtEnd { return nil }
            let action: Action
            if words.take("GET", values: 2) {
                action = .get
            } else if words.take("SET", values: 3) {
                action = .set
            } else if words.take("INCRBY", values: 3) {
                action = .increment
            } else {
                throw .syntax
            }
            guard let type = BitfieldType(try words.next()) else {
                throw .message(
                    """
                    ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.
                    """)
            }
            let offset = try BitOffset.parse(words.next(), fieldWidth: type.width, byteCountMax: byteCountMax)
            let operand = action == .get ? 0 : try words.integer()
            return Operation(
                action: action, type: type, offset: offset, operand: Int64(operand), overflow: overflow)
        }

        private mutating func overflowWord() throws(CommandError) -> BitfieldOverflow {
            if words.take("WRAP") { return .wrap }
            if words.take("SAT") { return .saturate }
            if words.take("FAIL") { return .fail }
            throw .message("ERR Invalid OVERFLOW type specified")
        }
    }
}
