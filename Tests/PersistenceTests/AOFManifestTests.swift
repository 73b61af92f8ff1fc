// AOFManifestTests.swift - the append only file's table of contents: read as Redis reads it, refused in its words.
import Base
import Persistence
import Testing

struct AOFManifestTests {
    @Test func aManifestGrowsAndIsRead() throws {
        var manifest = AOFManifest()
        #expect(
            manifest.addBase(prefix: "appendonly.aof", isRDB: true, keeping: nil).name == "appendonly.aof.1.base.rdb")
        #expect(manifest.addIncrement(prefix: "appendonly.aof").name == "appendonly.aof.1.incr.aof")
        let second = manifest.addIncrement(prefix: "appendonly.aof")
        #expect(manifest.addBase(prefix: "appendonly.aof", isRDB: false, keeping: second).sequence == 2)
        let text = manifest.makeText().span.text
        #expect(
            text == """
                file appendonly.aof.2.base.aof seq 2 type b
                file appendonly.aof.1.base.rdb seq 1 type h
                file appendonly.aof.1.incr.aof seq 1 type h
                file appendonly.aof.2.incr.aof seq 2 type i

                """)
        #expect(try AOFManifest(text: text) == manifest)
        #expect(manifest.files.map(\.name) == ["appendonly.aof.2.base.aof", "appendonly.aof.2.incr.aof"])
        manifest.forgetHistory()
        #expect(manifest.history.isEmpty)
    }

    @Test func namesWithBlanksAreQuoted() throws {
        var manifest = AOFManifest()
        _ = manifest.addIncrement(prefix: "my file")
        #expect(manifest.makeText().span.text == "file \"my file.1.incr.aof\" seq 1 type i\n")
        #expect(try AOFManifest(text: manifest.makeText().span.text) == manifest)
    }

    @Test(arguments: [
        ("", "Found an empty AOF manifest"),
        ("\n", "Invalid AOF manifest file format"),
        ("file a seq 1", "Invalid AOF manifest file format"),
        ("file a seq x type i", "Invalid AOF manifest file format"),
        ("file a seq 1 type z", "Unknown AOF file type"),
        ("file a/b seq 1 type i", "File can't be a path, just a filename"),
        ("file a seq 1 type b\nfile b seq 2 type b", "Found duplicate base file information"),
        ("file a seq 2 type i\nfile b seq 2 type i", "Found a non-monotonic sequence number"),
        (
            "file " + String(repeating: "x", count: 1100) + " seq 1 type i",
            "The AOF manifest file contains too long line"
        ),
    ]) func whatRedisRefusesIsRefused(text: String, reason: String) {
        var found = ""
        do throws(AOFManifest.Fault) { _ = try AOFManifest(text: text) } catch { found = error.text }
        #expect(found.split(separator: "\n").last.map(String.init) == reason)
    }

    @Test func commentsOtherOrdersAndUnknownWordsAreRead() throws {
        let manifest = try AOFManifest(text: "# a comment\nTYPE i future x SEQ 7 FILE a.aof\n")
        #expect(manifest.increments == [AOFManifest.Entry(name: "a.aof", sequence: 7, kind: .increment)])
        #expect(manifest.incrementSequence == 7)
    }
}
