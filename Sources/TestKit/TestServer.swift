// TestServer.swift - a whole server in the test's process: real loops and sockets on a port the system chose, a clock
// the test moves. Stopped and joined when the value dies. Many of them may run side by side.
internal import Base
internal import CLinux
package import Engine
internal import Server

/// How a session reaches the server: what every command's tests run over.
package struct TestVariant: Sendable, CustomStringConvertible {
    package let protocolVersion: Int
    package let loopCount: Int

    package init(protocolVersion: Int = 2, loopCount: Int = 1) {
        self.protocolVersion = protocolVersion
        self.loopCount = loopCount
    }

    package var description: String { "RESP\(protocolVersion), io-threads \(loopCount)" }

    /// RESP2 and RESP3, one loop and four.
    package static let all = [
        TestVariant(protocolVersion: 2, loopCount: 1), TestVariant(protocolVersion: 3, loopCount: 1),
        TestVariant(protocolVersion: 2, loopCount: 4), TestVariant(protocolVersion: 3, loopCount: 4),
    ]

    /// RESP2 and RESP3 on one loop, for what loops cannot change.
    package static let protocols = [TestVariant(protocolVersion: 2), TestVariant(protocolVersion: 3)]
}

/// The server of a test did not start.
package struct StartFailure: Error, CustomStringConvertible {
    package let description: String
}

package final class TestServer: Sendable {
    private let server: Server
    package let loopCount: Int
    package var port: Int { server.port }

    /// Starts a server on `loopCount` loops with the lines of a configuration file. With a `directory` it loads what
    /// is there and saves there; tests share the process, so nothing changes its working directory.
    package init(
        loopCount: Int = 1, configuration: String = "", directory: String? = nil
    ) throws(StartFailure) {
        self.loopCount = loopCount
        TestServer.silenceLog
        var fileSystem = ConfigFileSystem.live
        if let directory { fileSystem.currentDirectory = { Array(directory.utf8) } }
        var loader = ConfigLoader(fileSystem: fileSystem, coreCount: loopCount)
        let text = "port 0\nbind 127.0.0.1\nsave \"\"\nio-threads \(loopCount)\n" + configuration + "\n"
        do throws(ConfigLoadError) {
            try loader.load(text: Array(text.utf8), path: Array("test.conf".utf8))
        } catch {
            throw StartFailure(description: String(decoding: error.report(product: "Fog"), as: UTF8.self))
        }
        var options = Server.Options(config: loader.config)
        options.renames = loader.renamedCommands.map {
            (from: String(decoding: $0.from, as: UTF8.self), to: String(decoding: $0.to, as: UTF8.self))
        }
        options.users = loader.userLines.map { Array($0.arguments.dropFirst()) }
        options.listensOnAnyPort = true
        options.loadsDataset = directory != nil
        do throws(SystemError) {
            server = try Server(options)
        } catch { throw StartFailure(description: error.description) }
        guard directory != nil else { return }
        do throws(DatasetFailure) {
            try server.loadDataset()
        } catch {
            server.stop()
            server.wait()
            throw StartFailure(description: "the dataset cannot be loaded")
        }
    }

    deinit { stop() }

    /// Ends the loops and waits for them.
    package func stop() {
        server.stop()
        server.wait()
    }

    /// FOG_TEST_LOG=1 shows the servers' log.
    private static let silenceLog: Void = {
        let isWanted = unsafe getenv("FOG_TEST_LOG") != nil
        Log.shared.configure(level: isWanted ? .debug : .nothing, path: "", syslogIdent: nil, syslogFacility: 0)
    }()

    /// The engine, under its turn.
    package func withEngine(_ body: (inout Engine) -> Void) { server.withEngine(body) }

    /// Makes time pass for every deadline, expiry and clock of this server; what became due is done at once.
    package func advanceClock(milliseconds: Int64) {
        server.withEngine { engine in
            engine.clock.offsetMilliseconds += milliseconds
            engine.hooks.wakeAt(0)
        }
    }

    /// A new connection that speaks `protocolVersion`.
    package func connect(protocolVersion: Int = 2) throws(ClientFailure) -> TestClient {
        let client = try TestClient(port: port)
        if protocolVersion == 3 {
            // HELLO is a command like others and has tests of its own: here the session is set directly.
            try client.run("PING")
            let address = TestServer.localAddress(of: client.descriptor)
            withEngine { engine in
                for session in engine.sessions.all where session.session.address == address {
                    session.session.protocolVersion = 3
                }
            }
        }
        return client
    }

    private static func localAddress(of descriptor: Int32) -> String {
        var storage = sockaddr_storage()
        guard unsafe fog_socket_name(descriptor, 0, &storage) == 0 else { return "" }
        let port = unsafe withUnsafePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { unsafe $0.pointee.sin_port }
        }
        return "127.0.0.1:\(UInt16(bigEndian: port))"
    }
}
