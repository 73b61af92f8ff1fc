// StartArgumentsTests.swift - the command line, by redis-server 7's rules.
// Each row is a command line and the configuration lines that it stands for. Needs no server and no files;
// Conformance/config_check.py runs the same rules against redis-server.
import Testing

@testable import Engine

@Suite struct StartArgumentsTests {
    private func parse(_ words: String..., program: String = "fog-server") -> StartArguments {
        StartArguments(([program] + words).map { bytes($0) })
    }

    private func lines(_ words: [String]) -> [String] {
        StartArguments((["fog-server"] + words).map { bytes($0) }).optionLines.map { line in
            text(ConfigText.trimmed(line))
        }
    }

    @Test(
        arguments: [
            (["--port", "7000"], ["port \"7000\""]), (["--port 7000"], ["port 7000"]),
            (
                ["/x.conf", "--port", "7000", "--save", "60", "1", "--save", "", "--appendonly", "no"],
                ["port \"7000\"", "save \"60\" \"1\"", "save \"\"", "appendonly \"no\""]
            ),
            (["--save", "--loglevel", "verbose"], ["save \"\"", "loglevel \"verbose\""]),
            (["--loglevel", "verbose", "--SAVE"], ["loglevel \"verbose\"", "SAVE \"\""]),
            (["--save", "60 1"], ["save \"60 1\""]), (["--port", "--bla"], ["port \"--bla\""]),
            (
                ["--proc-title-template", "--my--title", "--loglevel", "verbose"],
                ["proc-title-template \"--my--title\"", "loglevel \"verbose\""]
            ),
            (["--port", "--loglevel", "verbose"], ["port \"--loglevel\" \"verbose\""]),
            (["--port"], ["port"]),
            (
                ["/x.conf", "loglevel", "verbose", "--maxmemory '700mb'"],
                ["\"loglevel\" \"verbose\"", "maxmemory '700mb'"]
            ),
            (["--sentinel", "--port", "1"], ["sentinel", "port \"1\""]), (["/x.conf"], []), ([], []),
            (["--requirepass", "a\"b\n"], ["requirepass \"a\\\"b\\n\""]),
            (["--replicaof", "--127.0.0.1", "--abc"], ["replicaof \"--127.0.0.1\"", "abc"]),
        ] as [([String], [String])])
    func optionsBecomeLines(words: [String], expected: [String]) {
        #expect(lines(words) == expected)
    }

    @Test func fileAndStandardInput() {
        #expect(parse("/x.conf").configPath == bytes("/x.conf"))
        #expect(parse("--port", "1").configPath == nil)
        #expect(parse("-").readsStandardInput && parse("/x.conf", "-").readsStandardInput)
        #expect(parse("/x.conf", "--hz", "5", "-").readsStandardInput)
        #expect(!parse("/x.conf", "-", "--hz", "5").readsStandardInput)
        #expect(parse().action == .run)
    }

    @Test func whatToBe() {
        #expect(parse("-v").action == .version && parse("--version", "x").action == .version)
        #expect(parse("-h").action == .help && parse("--help").action == .help)
        #expect(parse("--check-system").action == .checkSystem)
        #expect(parse("--test-memory", "100").action == .testMemory(megabytes: 100))
        #expect(parse("--test-memory").action == .testMemory(megabytes: nil))
        #expect(parse("--test-memory", "99999999999999999999").action == .testMemory(megabytes: 0))
        #expect(parse("/x.conf", "--version").action == .run)
        #expect(parse("x.rdb", program: "/usr/bin/redis-check-rdb").action == .checkRDB)
        #expect(parse("x.aof", program: "fog-check-aof").action == .checkAOF)
        #expect(parse(program: "/opt/redis-check-aof/fog-server").action == .run)
    }

    @Test func sentinelByNameOrOption() {
        #expect(parse("/x.conf", "--sentinel").isSentinel)
        #expect(parse("/x.conf", program: "/usr/bin/redis-sentinel").isSentinel)
        #expect(parse(program: "fog-sentinel").isSentinel)
        #expect(!parse("/etc/sentinel").isSentinel)
    }

    @Test func theUsageNamesTheProgram() {
        #expect(StartArguments.usage().hasPrefix("Usage: ./fog-server [/path/to/redis.conf] [options] [-]\n"))
    }
}
