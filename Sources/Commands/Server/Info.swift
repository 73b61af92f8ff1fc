// Info.swift - INFO: which sections were asked for, in which order they stand. The sections themselves are written in
// InfoServer, InfoMemory, InfoStatistics and InfoCommands. Engine's turn; costs tens of microseconds.
internal import Base
internal import Engine
internal import RESP

enum Info {
    static let commands: [Command] = [
        Command(
            "INFO", "[section...]", arity: -1, [.loading, .stale], in: .server, categories: ["dangerous"],
            since: "1.0.0", complexity: "O(1)", summary: "Returns information and statistics about the server.",
            history: [("7.0.0", "Added support for taking multiple section arguments.")],
            hints: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"], run: info)
    ]

    /// In the order of the reply.
    private enum Section: String, CaseIterable {
        case server, clients, memory, persistence, stats, replication, cpu, modules, commandstats, errorstats,
            latencystats, cluster, tiering, keyspace

        /// Shown by INFO without arguments.
        var isDefault: Bool { self != .commandstats && self != .latencystats }
    }

    private static func info(_ call: inout Call) throws(CommandError) {
        call.administration.readMemoryToShow()
        let wanted = sections(call)
        var text = InfoText()
        for section in Section.allCases where wanted.contains(section) { write(section, call, to: &text) }
        call.reply.verbatim(text.bytes.span)
    }

    /// Words that name no section are passed over, as the stock servers do.
    private static func sections(_ call: borrowing Call) -> Set<Section> {
        let standard = Set(Section.allCases.filter(\.isDefault))
        if call.arguments.count == 1 { return standard }
        var wanted: Set<Section> = []
        for index in 1..<call.arguments.count {
            let word = call.arguments[index].text.lowercased()
            switch word {
            case "default": wanted.formUnion(standard)
            case "all", "everything": wanted.formUnion(Section.allCases)
            default: if let section = Section(rawValue: word) { wanted.insert(section) }
            }
        }
        return wanted
    }

    private static func write(_ section: Section, _ call: borrowing Call, to text: inout InfoText) {
        switch section {
        case .server: InfoServer.server(call, to: &text)
        case .clients: InfoServer.clients(call, to: &text)
        case .memory: InfoMemory.write(call, to: &text)
        case .persistence: InfoServer.persistence(call, to: &text)
        case .stats: InfoStatistics.write(call, to: &text)
        case .replication: InfoServer.replication(call, to: &text)
        case .cpu: InfoStatistics.processor(to: &text)
        case .modules: text.section("Modules")
        case .commandstats: InfoCommands.calls(call, to: &text)
        case .errorstats: InfoCommands.errors(call, to: &text)
        case .latencystats: InfoCommands.latencies(call, to: &text)
        case .cluster:
            text.section("Cluster")
            text.field("cluster_enabled", call.settings.clusterEnabled)
        case .tiering: InfoTiering.write(call, to: &text)
        case .keyspace: InfoServer.keyspace(call, to: &text)
        }
    }
}
