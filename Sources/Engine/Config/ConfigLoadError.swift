// ConfigLoadError.swift - why the server does not start with this configuration, in the form that people and test
// suites know from redis-server's standard error, plus two lines of help that it never had.
// Scripts look for the first lines, so those keep their exact shape.

/// Why a start failed.
package struct ConfigLoadError: Error, Sendable, Equatable {
    /// The line that stopped the start; nil when the configuration as a whole is at fault.
    package let origin: ConfigOrigin?
    /// What is wrong, in Redis' words where Redis has any.
    package let reason: String
    /// A name that the line probably meant.
    package let suggestion: String?
    /// A file could not be read: the whole message, which Redis sends to its log instead of standard error.
    package let unreadableFileMessage: String?

    /// For callers that find a line wrong later: `rename-command` of an unknown command, a bad `user`.
    package init(_ origin: ConfigOrigin?, _ reason: String, suggestion: String? = nil) {
        self.origin = origin
        self.reason = reason
        self.suggestion = suggestion
        unreadableFileMessage = nil
    }

    init(unreadable path: [UInt8], reason: String) {
        origin = nil
        self.reason = reason
        suggestion = nil
        unreadableFileMessage = "Fatal error, can't open config file '\(ConfigText.string(path))': \(reason)"
    }

    /// What goes to standard error before the process ends with status 1. `product` is a name and a version.
    package func report(product: String) -> [UInt8] {
        var text = Array("\n*** FATAL CONFIG FILE ERROR (\(product)) ***\n".utf8)
        if let origin {
            text += Array("Reading the configuration file, at line \(origin.lineNumber)\n>>> '".utf8)
            text += origin.text + Array("'\n".utf8)
        }
        text += Array("\(reason)\n".utf8)
        if let suggestion { text += Array("Did you mean '\(suggestion)'?\n".utf8) }
        if let origin { text += Array("The line comes from \(origin.place).\n".utf8) }
        return text
    }
}
