// ACLCommand.swift - ACL: the declarations of its subcommands. What users may do is in Engine/ACL; replies about users
// are in ACLUserCommands.swift, about permissions in ACLLookup.swift, files in ACLFileCommands.swift.
internal import Base
internal import Engine
internal import RESP

enum ACLCommand {
    private static let admin: CommandFlags = [.admin, .noScript, .loading, .stale]
    private static let open: CommandFlags = [.noScript, .loading, .stale]
    private static let everywhere = ["request_policy:all_nodes", "response_policy:all_succeeded"]
    private static let perUser = "O(N). Where N is the number of configured users."

    static let commands: [Command] = [
        Command(
            "ACL", arity: -2, in: .server, since: "6.0.0", complexity: "Depends on subcommand.",
            summary: "A container for Access List Control commands.",
            subcommands: lookups + users + files + [
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .server, since: "6.0.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help)
            ])
    ]

    private static let lookups: [Command] = [
        Command(
            "CAT", "[category]", arity: -2, open, in: .server, since: "6.0.0",
            complexity: "O(1) since the categories and commands are a fixed set.",
            summary: "Lists the ACL categories, or the commands inside a category.",
            help: [
                "CAT [<category>]",
                "    List all commands that belong to <category>, or all command categories",
                "    when no category is specified.",
            ],
            run: ACLLookup.categories),
        Command(
            "DELUSER", "username...", arity: -3, admin, in: .server, since: "6.0.0",
            complexity: "O(1) amortized time considering the typical user.",
            summary: "Deletes ACL users, and terminates their connections.", hints: everywhere,
            help: ["DELUSER <username> [<username> ...]", "    Delete a list of users."],
            run: ACLUserCommands.delete),
        Command(
            "DRYRUN", "username command [arg...]", arity: -4, admin, in: .server, since: "7.0.0", complexity: "O(1).",
            summary: "Simulates the execution of a command by a user, without executing the command.",
            help: [
                "DRYRUN <username> <command> [<arg> ...]",
                "    Returns whether the user can execute the given command without executing the command.",
            ],
            run: ACLLookup.dryRun),
    ]

    private static let users: [Command] = [
        Command(
            "GETUSER", "username", arity: 3, admin, in: .server, since: "6.0.0",
            complexity: "O(N). Where N is the number of password, command and pattern rules that the user has.",
            summary: "Lists the ACL rules of a user.",
            history: [
                ("6.2.0", "Added Pub/Sub channel patterns."),
                (
                    "7.0.0",
                    """
                    Added selectors and changed the format of key and channel patterns from a list to their rule \
                    representation.
                    """
                ),
                ("9.1.0", "Added database permission rules."),
            ],
            help: ["GETUSER <username>", "    Get the user's details."],
            run: ACLUserCommands.get),
        Command(
            "GENPASS", "[bits:integer]", arity: -2, open, in: .server, since: "6.0.0", complexity: "O(1)",
            summary: "Generates a pseudorandom, secure password that can be used to identify ACL users.",
            help: [
                "GENPASS [<bits>]",
                "    Generate a secure 256-bit user password. The optional `bits` argument can",
                "    be used to specify a different size.",
            ],
            run: ACLLookup.makePassword),
        Command(
            "LIST", arity: 2, admin, in: .server, since: "6.0.0", complexity: perUser,
            summary: "Dumps the effective rules in ACL file format.",
            help: ["LIST", "    Show users details in config file format."], run: ACLUserCommands.list),
    ]

    private static let files: [Command] = [
        Command(
            "LOAD", arity: 2, admin, in: .server, since: "6.0.0", complexity: perUser,
            summary: "Reloads the rules from the configured ACL file.",
            help: ["LOAD", "    Reload users from the ACL file."], run: ACLFileCommands.load),
        Command(
            "LOG", "[operation=(count:integer | RESET)]", arity: -2, admin, in: .server, since: "6.0.0",
            complexity: "O(N) with N being the number of entries shown.",
            summary: "Lists recent security events generated due to ACL rules.",
            history: [("7.2.0", "Added entry ID, timestamp created, and timestamp last updated.")],
            help: ["LOG [<count> | RESET]", "    Show the ACL log entries."], run: ACLLookup.log),
        Command(
            "SAVE", arity: 2, admin, in: .server, since: "6.0.0", complexity: perUser,
            summary: "Saves the effective ACL rules in the configured ACL file.", hints: everywhere,
            help: ["SAVE", "    Save the current config to the ACL file."], run: ACLFileCommands.save),
        Command(
            "SETUSER", "username [rule...]", arity: -3, admin, in: .server, since: "6.0.0",
            complexity: "O(N). Where N is the number of rules provided.",
            summary: "Creates and modifies an ACL user and its rules.",
            history: [
                ("6.2.0", "Added Pub/Sub channel patterns."),
                ("7.0.0", "Added selectors and key based permissions."),
                ("9.1.0", "Added database permission rules."),
            ],
            hints: everywhere,
            help: [
                "SETUSER <username> <rule> [<rule> ...]",
                "    Create or modify a user with the specified rules.",
            ],
            run: ACLUserCommands.set),
        Command(
            "USERS", arity: 2, admin, in: .server, since: "6.0.0", complexity: perUser,
            summary: "Lists all ACL users.", help: ["USERS", "    List all the registered usernames."],
            run: ACLUserCommands.names),
        Command(
            "WHOAMI", arity: 2, open, in: .server, since: "6.0.0", complexity: "O(1)",
            summary: "Returns the authenticated username of the current connection.",
            help: ["WHOAMI", "    Return the current connection username."], run: ACLUserCommands.whoAmI),
    ]
}
