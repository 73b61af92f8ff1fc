// UsageLineTests.swift - the small language of usage lines: what each form means, which lines are refused, how many
// words a line stands for, and how it is shown to people.
import Engine
import Testing

struct UsageLineTests {
    private func only(_ text: String) throws -> UsageArgument {
        let arguments = try UsageLine(text).arguments
        #expect(arguments.count == 1)
        return arguments[0]
    }

    @Test func values() throws {
        let field = try only("field")
        #expect(field.name == "field" && field.kind == .string && field.displayText == "field")
        #expect(field.keySpecIndex == nil && field.token == nil && !field.isOptional && field.arguments.isEmpty)
        #expect(try only("key").kind == .key)
        #expect(try only("key").keySpecIndex == 0)
        #expect(try only("key:string").kind == .string)
        #expect(try only("key:string").keySpecIndex == nil)
        #expect(try only("key#-").kind == .key)
        #expect(try only("key#-").keySpecIndex == nil)
        #expect(try only("pattern:pattern#1").keySpecIndex == 1)
        #expect(try only("addr/\"ip:port\"").displayText == "ip:port")
        #expect(try only("at:unix-time").kind == .unixTime)
        let limit = try only("[COUNT count:integer@6.2.0@!7.0.0{how many}]")
        #expect(limit.token == "COUNT" && limit.kind == .integer && limit.isOptional && !limit.isMultiple)
        #expect(limit.since == "6.2.0" && limit.deprecatedSince == "7.0.0" && limit.summary == "how many")
    }

    @Test func keysAreNumbered() throws {
        let indices = try UsageLine("dst:key [src:key] key#0 key").arguments.map(\.keySpecIndex)
        #expect(indices == [0, 1, 0, 1])
    }

    @Test func tokens() throws {
        let word = try only("NX")
        #expect(word.name == "nx" && word.kind == .pureToken && word.displayText == "nx" && word.token == "NX")
        #expect(try only("auto-id=\"*\"").token == "*")
        #expect(try only("sorting=ALPHA").name == "sorting")
        let both = try UsageLine("no=NO ONE").arguments
        #expect(both.map(\.token) == ["NO", "ONE"] && both.map(\.name) == ["no", "one"])
        #expect(try UsageLine("[REV] count:integer").arguments.map(\.token) == ["REV", nil])
    }

    @Test func groups() throws {
        let limit = try only("[LIMIT (offset:integer count:integer)]")
        #expect(limit.name == "limit" && limit.kind == .block && limit.token == "LIMIT" && limit.displayText == nil)
        #expect(limit.arguments.map(\.name) == ["offset", "count"])
        let choice = try only("condition=(NX | XX | IFEQ value)@8.1.0")
        #expect(choice.kind == .oneOf && choice.since == "8.1.0" && choice.arguments.count == 3)
        #expect(try only("one=(| only)").kind == .oneOf)
        #expect(try only("type=TYPE (A | B)").token == "TYPE")
        let nested = try only("[a=(b=(C | D) e=(f g)...)]...")
        #expect(nested.isMultiple && nested.repeatsToken && nested.arguments[1].isMultiple)
        #expect(!nested.arguments[1].repeatsToken)
    }

    @Test(arguments: [
        "[key", "(a b)", "a=(b", "a=(b | c d)", "a=(b c | d)", "a:block", "a:nothing", "key#", "a{b", "a  b", " a",
        "a ",
        "=A", "a/", "a/\"x", "\"x", "a=", "a)", "[a]]", "$", "a=()", "A (", "A=B",
    ])
    func refused(line: String) {
        #expect(throws: UsageLineError.self) { try UsageLine(line) }
    }

    @Test(arguments: [
        ("", 0, false), ("key value", 2, false), ("key...", 1, true), ("[key]", 0, true), ("EX seconds", 2, false),
        ("LIMIT (offset count)", 3, false), ("where=(LEFT | RIGHT)", 1, false), ("by=(RADIUS r | BOX (w h))", 2, true),
        ("id=(| empty=\"\")", 1, false), ("FIELDS (n field...)", 3, true),
    ])
    func words(line: String, minimum: Int, isOpen: Bool) throws {
        let count = try UsageLine(line).wordCount
        #expect(count.minimum == minimum && count.isOpen == isOpen)
    }

    @Test(arguments: [
        ("key value [condition=(NX | XX)] [EX seconds]", "key value [NX | XX] [EX seconds]"),
        ("key...", "key [key ...]"), ("[PREFIX prefix]...", "[PREFIX prefix [PREFIX prefix ...]]"),
        ("WEIGHTS weight...", "WEIGHTS weight [weight ...]"), ("where=(LEFT | RIGHT)", "<LEFT | RIGHT>"),
        ("addr/\"ip:port\"", "ip:port"), ("data=(field value)...", "field value [field value ...]"),
        ("s=(key | none=\"\")", "<key | \"\">"),
    ])
    func syntax(line: String, shown: String) throws {
        #expect(try UsageLine(line).syntax == shown)
    }
}
