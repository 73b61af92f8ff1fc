// ACLVocabulary.swift - the words that command rules may use: every command and subcommand by its documented name
// (`rename-command` changes nothing here), and every category with its members. Made once; immutable.
internal import Base

package final class ACLVocabulary: Sendable {
    /// Slot ids by full lower-case name ("get", "config|get").
    private let slots: [[UInt8]: Int]
    /// Members by category.
    private let members: [ACLCategory: [Int]]
    private let commands: CommandTable
    let count: Int

    init(_ commands: CommandTable) {
        var slots: [[UInt8]: Int] = [:]
        var members: [ACLCategory: [Int]] = [:]
        for id in 0..<commands.count {
            // A dotted name means the subcommand.
            slots[Array(commands.fullNames[id].utf8)] = commands.canonical(id)
            if commands.canonical(id) != id { continue }
            for category in commands.commands[id].aclCategories.list { members[category, default: []].append(id) }
        }
        self.slots = slots
        self.members = members
        self.commands = commands
        count = commands.count
    }

    /// The slot of a command or subcommand by name; case does not matter.
    func slot(_ name: [UInt8]) -> Int? { slots[ConfigText.lowercased(name)] }

    func category(_ name: [UInt8]) -> ACLCategory? {
        ACLCategory(rawValue: ConfigText.string(ConfigText.lowercased(name)))
    }

    /// The slots that a rule about `category` means.
    package func members(of category: ACLCategory) -> [Int] { members[category] ?? [] }

    /// A slot with those of its subcommands.
    func family(of slot: Int) -> [Int] { [slot] + Array(commands.subcommands(of: slot)) }

    func isSubcommand(_ slot: Int) -> Bool { commands.container(of: slot) != nil }

    func isContainer(_ slot: Int) -> Bool { !commands.subcommands(of: slot).isEmpty }

    package func name(_ slot: Int) -> String { commands.fullNames[slot] }
}
