// StartArguments.swift - the command line of fog-server, read exactly as redis-server 7 reads its own: a file, then
// options that become configuration lines, then perhaps `-` for standard input. Pure; says what to do, does nothing.
// Changing a rule here breaks start scripts: the rules are compared with redis-server by Conformance/config_check.py.

/// What a command line says.
package struct StartArguments: Sendable, Equatable {
    /// What the process is asked to be.
    package enum Action: Sendable, Equatable {
        case run
        case version
        case help
        /// With the megabytes that were given, if they were.
        case testMemory(megabytes: Int?)
        case checkSystem
        /// Started as `redis-check-rdb` or `redis-check-aof` (any product's prefix), or with `--check-rdb` or
        /// `--check-aof`.
        case checkRDB
        case checkAOF
    }

    /// Whether to run, and as what.
    package var action = Action.run
    /// The first argument, when it is no option.
    package var configPath: [UInt8]?
    /// `-` was given: configuration comes from standard input too.
    package var readsStandardInput = false
    /// One configuration line per option, in order.
    package var optionLines: [[UInt8]] = []
    /// `--sentinel` was given, or the program's name says so.
    package var isSentinel = false
    /// The files to check.
    package var checkedPaths: [[UInt8]] = []

    /// `arguments` includes the program's name.
    package init(_ arguments: [[UInt8]]) {
        let program = StartArguments.programName(arguments.first ?? [])
        isSentinel =
            program.hasSuffix("sentinel") || program.contains("redis-sentinel")
            || arguments.dropFirst().contains(Array("--sentinel".utf8))
        if program.contains("-check-rdb") { action = .checkRDB }
        if program.contains("-check-aof") { action = .checkAOF }
        checkedPaths = action == .run ? [] : Array(arguments.dropFirst())
        guard action == .run, arguments.count > 1 else { return }
        switch ConfigText.string(arguments[1]) {
        case "-v", "--version": action = .version
        case "-h", "--help": action = .help
        case "--check-system": action = .checkSystem
        case "--check-rdb":
            action = .checkRDB
            checkedPaths = Array(arguments.dropFirst(2))
        case "--check-aof":
            action = .checkAOF
            checkedPaths = Array(arguments.dropFirst(2))
        case "--test-memory":
            let given = arguments.count == 3 ? arguments[2].prefix { ConfigText.isDigit($0) } : []
            action = .testMemory(megabytes: arguments.count == 3 ? Int(ConfigText.string(Array(given))) ?? 0 : nil)
        default:
            readOptions(arguments)
        }
    }

    private static func programName(_ path: [UInt8]) -> String {
        let start = path.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        return ConfigText.string(Array(path[start...]))
    }

    /// An option opens a line, everything else is a quoted argument of the line that is open. `--` opens a line only
    /// when the option before it has an argument already, so that a value may start with `--`; `--save` and
    /// `--sentinel` need none.
    private mutating func readOptions(_ arguments: [[UInt8]]) {
        var index = 1
        if arguments[1].first != UInt8(ascii: "-") {
            configPath = arguments[1]
            index = 2
        }
        var line: [UInt8]?
        var mayOpenLine = true
        while index < arguments.count {
            let argument = arguments[index]
            let isLast = index == arguments.count - 1
            if argument == [UInt8(ascii: "-")], index == 1 || isLast {
                readsStandardInput = true
            } else if mayOpenLine, StartArguments.isOption(argument) {
                if let line { optionLines.append(line) }
                let isNextOption = !isLast && StartArguments.isOption(arguments[index + 1])
                (line, mayOpenLine) = StartArguments.openLine(argument, isLast: isLast, isNextOption: isNextOption)
            } else {
                line = (line ?? []) + ConfigText.quoted(argument) + [32]
                mayOpenLine = true
            }
            index += 1
        }
        if let line { optionLines.append(line) }
    }

    private static func isOption(_ argument: [UInt8]) -> Bool {
        argument.starts(with: Array("--".utf8))
    }

    private static func openLine(
        _ argument: [UInt8], isLast: Bool, isNextOption: Bool
    ) -> (line: [UInt8], mayOpenLine: Bool) {
        let line = Array(argument.dropFirst(2)) + [32]
        guard ConfigText.splitArguments(argument)?.count == 1 else { return (line, true) }
        let isSave = ConfigText.equalsIgnoringCase(argument, "--save")
        if isSave && (isLast || isNextOption) { return (line + Array("\"\"".utf8), isNextOption) }
        if ConfigText.equalsIgnoringCase(argument, "--sentinel") && isNextOption { return (line, true) }
        return (line, false)
    }

    /// What `--help` prints.
    package static func usage(program: String = "fog-server") -> String {
        """
        Usage: ./\(program) [/path/to/redis.conf] [options] [-]
               ./\(program) - (read config from stdin)
               ./\(program) -v or --version
               ./\(program) -h or --help

        Examples:
               ./\(program) (run the server with default conf)
               echo 'maxmemory 128mb' | ./\(program) -
               ./\(program) /etc/redis/6379.conf
               ./\(program) --port 7777
               ./\(program) --port 7777 --replicaof 127.0.0.1 8888
               ./\(program) /etc/myredis.conf --loglevel verbose -
               ./\(program) /etc/myredis.conf --loglevel verbose
               FOG_MAXMEMORY=100mb ./\(program)

        Sentinel mode:
               ./\(program) /etc/sentinel.conf --sentinel

        """
    }
}
