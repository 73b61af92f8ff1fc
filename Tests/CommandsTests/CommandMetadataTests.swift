// CommandMetadataTests.swift - what commands declare about themselves fits together: usage lines can be read and agree
// with arity and key specifications, categories exist, containers help. Whether the facts are the stock servers' is
// compared in Conformance/metadata_check.py.
import Engine
import Server
import Testing

/// A command or subcommand with its full name and the words that name takes.
struct DeclaredCommand: CustomTestStringConvertible {
    let command: Command
    let fullName: String
    let nameWordCount: Int
    var testDescription: String { fullName }

    static let all: [DeclaredCommand] = ServerCommands.list.flatMap { command in
        [DeclaredCommand(command: command, fullName: command.name, nameWordCount: 1)]
            + command.subcommands.map {
                DeclaredCommand(command: $0, fullName: command.name + "|" + $0.name, nameWordCount: 2)
            }
    }
}

struct CommandMetadataTests {
    /// Commands whose arity is not what their syntax says, as in the stock servers, and why.
    private static let oddArity: [String: String] = [
        "CLIENT|KILL": "its filters are optional one by one, but one is needed",
        "DEBUG": "reads its subcommands itself and documents none of them",
        "GEOSEARCH": "FROMMEMBER and FROMLONLAT are optional since BYPOLYGON needs neither",
        "GEOSEARCHSTORE": "FROMMEMBER and FROMLONLAT are optional since BYPOLYGON needs neither",
        "HOTKEYS|START": "says itself which of its words is missing",
        "QUIT": "takes words and ignores them",
    ]

    @Test(arguments: DeclaredCommand.all)
    func usageAgreesWithArity(declared: DeclaredCommand) throws {
        let command = declared.command
        let usage = try UsageLine(command.usage)
        guard command.subcommands.isEmpty else {
            #expect(usage.arguments.isEmpty, "a container's arguments are its subcommands'")
            return
        }
        let words = usage.wordCount
        let minimum = words.minimum + declared.nameWordCount
        let agrees = abs(command.arity) == minimum && (command.arity < 0) == words.isOpen
        // An exception that is not needed any more fails as well.
        #expect(agrees == (CommandMetadataTests.oddArity[declared.fullName] == nil))
    }

    @Test(arguments: DeclaredCommand.all)
    func usageAgreesWithKeys(declared: DeclaredCommand) throws {
        var indices: Set<Int> = []
        func collect(_ arguments: [UsageArgument]) {
            for argument in arguments {
                if let index = argument.keySpecIndex { indices.insert(index) }
                collect(argument.arguments)
            }
        }
        collect(try UsageLine(declared.command.usage).arguments)
        #expect(indices.allSatisfy { $0 < max(1, declared.command.keys.count) })
        if declared.command.hasKeys { #expect(!indices.isEmpty, "a command with keys shows them") }
    }

    @Test(arguments: DeclaredCommand.all)
    func declarationIsComplete(declared: DeclaredCommand) {
        let command = declared.command
        #expect(!command.summary.isEmpty && !command.since.isEmpty)
        #expect(command.arity != 0)
        #expect(command.name == command.name.uppercased())
        for category in command.categories { #expect(ACLCategory(rawValue: category) != nil, "\(category)") }
        let categories = command.aclCategories
        #expect(categories.contains(.fast) != categories.contains(.slow))
        if command.flags.contains(.write) { #expect(!command.flags.contains(.readonly)) }
    }

    @Test func namesAreUnique() {
        let names = DeclaredCommand.all.map(\.fullName)
        #expect(Set(names).count == names.count)
    }

    @Test func containersHelp() {
        for command in ServerCommands.list where !command.subcommands.isEmpty {
            #expect(command.subcommands.contains { $0.name == "HELP" }, "\(command.name)")
        }
    }
}
