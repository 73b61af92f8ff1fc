// ACLFileCommands.swift - ACL LOAD and SAVE: users in the file that `aclfile` names.
internal import Base
internal import Engine
internal import RESP

enum ACLFileCommands {
    private static func path(_ call: borrowing Call) throws(CommandError) -> [UInt8] {
        let path = call.administration.config.text("aclfile")
        if path.isEmpty {
            throw .message(
                """
                ERR This instance is not configured to use an ACL file. You may want to specify users via the ACL \
                SETUSER command and then issue a CONFIG REWRITE (assuming you have a configuration file set) in \
                order to store users in the configuration.
                """)
        }
        return path
    }

    static func load(_ call: inout Call) throws(CommandError) {
        let path = try path(call)
        let running = call.sessionReference
        do throws(ACLRefusal) {
            try call.administration.loadUsers(file: path, fileSystem: .live, runningSession: running)
        } catch {
            call.reply.error("ERR \(error.text)")
            throw .written
        }
        call.reply.ok()
    }

    static func save(_ call: inout Call) throws(CommandError) {
        let path = try path(call)
        do throws(SystemError) {
            let fileSystem = ConfigFileSystem.live
            try fileSystem.replaceFile(fileSystem.absolutePath(path), ACLFile.text(call.administration.acl))
        } catch {
            Log.shared.warning("Saving the ACL file failed: \(error.description)")
            throw .message(
                "ERR There was an error trying to save the ACLs. Please check the server logs for more information")
        }
        call.reply.ok()
    }
}
