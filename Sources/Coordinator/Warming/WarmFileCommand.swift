// WarmFileCommand.swift - FOG.WARM FILE: fills the cache from a file beside the dataset while clients are served.
// Under the turn; the file is read by a thread of the pool (`WarmFile`).
internal import Base
internal import Commands
internal import Engine
internal import RESP

enum WarmFileCommand {
    static let subcommand = Command(
        "FILE", "filename format=(CSV | JSONL)", arity: 4, [.write, .denyOOM, .admin, .noScript, .noMulti], in: .fog,
        since: "8.2.0", complexity: "O(N) where N is the number of rows.",
        summary: "Sets the values of keys that do not exist out of a file; returns how many were set.",
        help: [
            "FILE <name> CSV|JSONL",
            "    Set values where there are none, out of a file in the server's directory with the columns or members",
            "    key, value and, if wanted, ttl: seconds, 0 for no end; without it they get fog-default-ttl.",
        ],
        run: file)

    /// Between two looks of a waiting client.
    private static let pauseNanoseconds: Int64 = 2_000_000

    private static let file: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let cache = call.cache
        if call.resumption != nil {
            guard let (outcome, _) = cache.warmOutcomes.removeValue(forKey: call.session.id) else {
                return wait(&call)
            }
            guard let failure = outcome.failure else { return call.reply.integer(outcome.loaded) }
            return call.reply.error("ERR \(outcome.loaded) keys were set, then it ended: \(failure)")
        }
        let name = call.arguments[first].text
        guard let format = RowFormat(call.arguments[first + 1]) else { throw .syntax }
        guard !name.isEmpty, !name.contains("/"), name != ".", name != "..", !name.utf8.contains(0) else {
            throw .message("ERR the file is named without a path: it lies in the server's directory (dir)")
        }
        cache.warmOutcomes[call.session.id] = nil
        let request = WarmRequest(
            path: call.administration.dataDirectory + "/" + name, format: format, database: call.session.database,
            session: call.session.id)
        guard let load = call.coordinator.loadFile else { throw .message("ERR this server reads no files") }
        load(request)
        wait(&call)
    }

    private static func wait(_ call: inout Call) {
        call.suspend(.slices, deadline: call.administration.clock.monotonicNanoseconds + pauseNanoseconds)
    }
}
