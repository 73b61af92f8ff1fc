// AOFInspectionTests.swift - how far an append only file is good, at which line reading stopped, and what is strict
// only for the check tool. Lines are those that the stock `redis-check-aof` counts.
import Persistence
import Testing

struct AOFInspectionTests {
    private static let set = "*3\r\n$3\r\nSET\r\n$3\r\nfoo\r\n$7\r\nhel\nlo\n\r\n"
    private static let increment = "*2\r\n$4\r\nINCR\r\n$3\r\nfoo\r\n"
    private static let multi = "*1\r\n$5\r\nMULTI\r\n"
    private static let exec = "*1\r\n$4\r\nEXEC\r\n"

    private func look(_ text: String, isStrict: Bool = true, lastSecond: Int64? = nil) -> AOFInspection {
        AOFInspection(Array(text.utf8).span, lastSecond: lastSecond, isStrict: isStrict)
    }

    @Test func linesAreCountedAsTheStockToolCounts() {
        let set = AOFInspectionTests.set
        let increment = AOFInspectionTests.increment
        #expect(look(set + increment).line == 13)
        #expect(look(set + String(decoding: increment.utf8.dropLast(), as: UTF8.self)).line == 12)
        #expect(look(set + "!!!").line == 8)
        #expect(look(set + "*2\r\n$x\r\n").line == 9)
        #expect(look(set + AOFInspectionTests.multi + set).line == 18)
    }

    @Test func bracketsThatDoNotMatch() {
        let set = AOFInspectionTests.set
        let multi = AOFInspectionTests.multi
        let exec = AOFInspectionTests.exec
        #expect(look(set + exec).problem == .strayExec)
        #expect(look(set + exec).goodEnd == set.utf8.count)
        #expect(look(set + exec, isStrict: false).problem == nil)
        #expect(look(set + multi + multi + exec).problem == .nestedMulti)
        #expect(look(set + multi + set).problem == .openTransaction)
        #expect(look(set + multi + set).goodEnd == set.utf8.count)
        #expect(look(multi + set + exec).problem == nil)
    }

    @Test func timesEndAtWholeUnits() {
        let text = "#TS:1000\r\n" + AOFInspectionTests.set + "#TS:2000\r\n" + AOFInspectionTests.increment
        let first = "#TS:1000\r\n".utf8.count + AOFInspectionTests.set.utf8.count
        #expect(look(text, lastSecond: 1500).timeEnd == first)
        #expect(look(text, lastSecond: 500).timeEnd == 0)
        #expect(look(text, lastSecond: 2000).timeEnd == nil)
    }
}
