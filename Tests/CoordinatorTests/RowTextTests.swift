// RowTextTests.swift - tables and JSON lines into fields: quotes, escapes, rows in pieces, what is refused; and nodes
// that go out by EXPORT and come back by IMPORT.
import Base
import TestKit
import Testing

@testable import Coordinator

struct RowTextTests {
    /// Rows as `name=value` lines, or the row and text of the error.
    private func rows(_ text: String, _ format: RowFormat, pieceCount: Int = 1 << 20) -> [String] {
        let bytes = Array(text.utf8)
        var reader = RowReader(format)
        var found: [String] = []
        var held: [UInt8] = []
        var offset = 0
        repeat {
            let end = min(bytes.count, offset + pieceCount)
            held += bytes[offset..<end]
            offset = end
            do throws(RowError) {
                while let (fields, byteCount) = try reader.next(held.span, isLast: offset == bytes.count) {
                    held.removeFirst(byteCount)
                    if fields.isEmpty { continue }
                    found.append(
                        fields.map {
                            String(decoding: $0.name, as: UTF8.self) + "=" + String(decoding: $0.value, as: UTF8.self)
                        }.joined(separator: " "))
                }
            } catch {
                return found + ["row \(error.row): \(error.text)"]
            }
        } while offset < bytes.count
        return found
    }

    @Test(arguments: [1, 2, 7, 1 << 20])
    func tables(pieceCount: Int) {
        let text = "id,a,b\r\n1,x,\r\n\"2\",\"a,\"\"b\"\"\n\",y\n\n3,,z"
        #expect(rows(text, .csv, pieceCount: pieceCount) == ["id=1 a=x", "id=2 a=a,\"b\"\n b=y", "id=3 b=z"])
    }

    @Test(arguments: [1, 3, 1 << 20])
    func lines(pieceCount: Int) {
        let text = #"{"id":"1","n":-1.5e3 , "t":true,"x":null}"# + "\n\n"
            + #" { "id" : "\u00e4\ud83d\ude00\ud83d\n\"\\\/" }"# + "\r\n{}\n"
        let wanted = ["id=1 n=-1.5e3 t=true", "id=ä😀\u{FFFD}\n\"\\/"]
        #expect(rows(text, .jsonLines, pieceCount: pieceCount) == wanted)
    }

    @Test func refusals() {
        #expect(rows("a,b\n1,2,3", .csv) == ["row 2: there are not as many cells as columns"])
        #expect(rows("a\n\"1", .csv) == ["row 2: a quote is not closed"])
        #expect(rows("a,b\n\"1\"x,2", .csv) == ["row 2: a comma is missing behind a quote"])
        #expect(rows("{\"a\":1}\n{\"a\":", .jsonLines) == ["a=1", "row 2: this is no JSON object"])
        #expect(rows("[1]", .jsonLines) == ["row 1: this is no JSON object"])
        #expect(rows("{\"a\":{}}", .jsonLines) == ["row 1: values are texts, numbers, true, false or null"])
    }

    @Test(arguments: [UInt64(1), UInt64.random(in: 2...UInt64.max)])
    func randomTextsEndSomehow(seed: UInt64) {
        var random = TestRandom(seed)
        let alphabet = Array("{}[]\",:\\u00e9d8 \n\r1ntrue".utf8)
        for _ in 0..<3000 {
            let bytes = (0..<random.below(40)).map { _ in alphabet[random.below(alphabet.count)] }
            let text = String(decoding: bytes, as: UTF8.self)
            for format in [RowFormat.csv, .jsonLines] {
                let whole = rows(text, format)
                #expect(whole == rows(text, format, pieceCount: 3), "seed \(seed): \(text)")
            }
        }
    }

    @Test(arguments: ["CSV", "JSONL"])
    func nodesComeBack(format: String) throws {
        let session = try TestSession()
        try session.run([
            (#"FOG.NODE REGISTER "a,1" REGION eu CPU 12.5 ADDR h:1 TTL 60 FIELD note "say \"hi\"\n""#, "OK"),
            ("FOG.NODE REGISTER b TYPE edge WEIGHT 2 POOL p", "OK"), ("FOG.NODE HEARTBEAT b CONN 3", "1"),
            ("FOG.NODE STATUS b draining", #""active""#),
        ])
        let before = try ["a,1", "b"].map { try session.client.command("HGETALL", "fog:node:\($0)") }
        let text = try session.client.run("FOG.NODE EXPORT \(format)").text ?? ""
        try session.run([("FLUSHALL", "OK"), ("FOG.NODE COUNT", "0")])
        let count = try session.client.command("FOG.NODE", "IMPORT", format, text).integer
        #expect(count == 2)
        let after = try ["a,1", "b"].map { try session.client.command("HGETALL", "fog:node:\($0)") }
        func fields(_ reply: ReplyValue) -> [String: String] {
            let words = reply.items.map { $0.text ?? "" }
            return Dictionary(
                uniqueKeysWithValues: stride(from: 0, to: words.count, by: 2).map { (words[$0], words[$0 + 1]) })
        }
        #expect(before.map(fields) == after.map(fields))
        try session.run([
            ("FOG.NODE LIST STATUS draining POOL p", #"["b"]"#), ("TTL fog:node:b", "300"),
            (#"TTL "fog:node:a,1""#, "60"), ("FOG.NODE EXPORT \(format)", "(any)"),
        ])
        #expect(try session.client.run("FOG.NODE EXPORT \(format)").text == text)
    }

    @Test func importsAreWholeOrNothing() throws {
        let session = try TestSession()
        try session.run([
            (#"FOG.NODE IMPORT CSV "id,cpu\na,1\nb,200""#,
                "(error) ERR nothing was imported, row 3: a field has a value that FOG.NODE REGISTER would refuse"),
            (#"FOG.NODE IMPORT CSV "cpu\n1""#, "(error) ERR nothing was imported, row 2: it has no id"),
            (#"FOG.NODE IMPORT JSONL "{""#, "(error) ERR nothing was imported, row 1: this is no JSON object"),
            ("FOG.NODE IMPORT XML x", "(error) ERR syntax error"), ("FOG.NODE COUNT", "0"),
            ("SET fog:node:s text", "OK"),
            (#"FOG.NODE IMPORT JSONL "{\"id\":\"r\"}\n{\"id\":\"s\"}""#, "(matches) (error) WRONGTYPE *"),
            ("EXISTS fog:node:r", "0"), (#"FOG.NODE IMPORT JSONL "{\"id\":\"r\",\"cpu\":5}""#, "1"),
            ("FOG.NODE LIST ALIVE 10", #"["r"]"#),
        ])
    }
}
