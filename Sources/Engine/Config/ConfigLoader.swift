// ConfigLoader.swift - the configuration at start: file (with its includes) and standard input, then the environment,
// then the command line, each overriding what came before. Runs once, before any thread; the first bad line stops it.
// `dir` takes effect the moment it is read, so that relative names after it mean what they mean to Redis.
internal import Base

/// Collects a start's configuration; read the results when `load` returned.
package struct ConfigLoader {
    /// Files may include files, this many deep.
    package static let includeDepthMax = 16

    /// The configuration so far.
    package private(set) var config: Config
    /// `rename-command` lines, in order; an empty `to` removes the command.
    package private(set) var renamedCommands: [(from: [UInt8], to: [UInt8], origin: ConfigOrigin)] = []
    /// `user` lines with all their arguments, for the ACL.
    package private(set) var userLines: [ConfigLine] = []
    /// `sentinel` lines with all their arguments, in Sentinel mode.
    package private(set) var sentinelLines: [ConfigLine] = []
    /// The configuration file as seen from the root, for CONFIG REWRITE and INFO; nil without one.
    package private(set) var configPath: [UInt8]?
    /// Things that were ignored and that somebody should know, for the log.
    package private(set) var warnings: [String] = []

    private let fileSystem: ConfigFileSystem
    private let isSentinel: Bool
    /// Files being read, outermost first.
    private var includeStack: [[UInt8]] = []
    /// Where `save` points were read from so far: the first line replaces the defaults, later ones add to it.
    private var savePointsOrigin: SavePointsOrigin = .standard

    /// A line said how many event loops there are to be.
    private var asksForThreads = false

    private enum SavePointsOrigin {
        case standard, file, environment, commandLine
    }

    /// In Sentinel mode the port is 26379 and protected mode off unless a line says otherwise.
    package init(fileSystem: ConfigFileSystem, coreCount: Int, isSentinel: Bool = false) {
        self.fileSystem = fileSystem
        self.isSentinel = isSentinel
        config = Config(coreCount: coreCount, directory: fileSystem.currentDirectory())
        if isSentinel {
            config.assign("port", .number(26_379))
            config.assign("protected-mode", .number(0))
        }
    }

    /// Reads everything that a start names.
    package mutating func load(
        _ start: StartArguments, environment: [(name: [UInt8], value: [UInt8])]
    ) throws(ConfigLoadError) {
        var lineCount = 0
        if let path = start.configPath {
            let absolute = fileSystem.absolutePath(path)
            configPath = absolute
            let content = try read(absolute)
            includeStack = [absolute]
            try apply(ConfigFile.lines(of: content, from: .file(path: absolute)))
            includeStack = []
            lineCount += ConfigFile.lineCount(of: content)
        }
        if start.readsStandardInput {
            let content: [UInt8]
            do throws(SystemError) { content = try fileSystem.readStandardInput() } catch {
                throw ConfigLoadError(unreadable: Array("standard input".utf8), reason: error.reason)
            }
            try apply(ConfigFile.lines(of: content, from: .standardInput, firstLineNumber: lineCount + 1))
            lineCount += ConfigFile.lineCount(of: content)
        }
        for (name, value) in environment { try applyEnvironment(name, value) }
        let options = Array(start.optionLines.joined(separator: [10]))
        try apply(ConfigFile.lines(of: options, from: .commandLine, firstLineNumber: lineCount + 2))
        try finish()
    }

    /// Applies a text as if it were a file: for tests and for callers that have their own source.
    package mutating func load(text: [UInt8], path: [UInt8]) throws(ConfigLoadError) {
        try apply(ConfigFile.lines(of: text, from: .file(path: path)))
        try finish()
    }

    private func read(_ path: [UInt8]) throws(ConfigLoadError) -> [UInt8] {
        do throws(SystemError) {
            return try fileSystem.readFile(path)
        } catch {
            throw ConfigLoadError(unreadable: path, reason: error.reason)
        }
    }

    /// What must hold for the configuration as a whole.
    private mutating func finish() throws(ConfigLoadError) {
        let logFile = config.text("logfile")
        if !logFile.isEmpty {
            do throws(SystemError) { try fileSystem.checkAppendable(logFile) } catch {
                throw ConfigLoadError(nil, "Can't open the log file: \(error.reason)")
            }
        }
        if config.settings.clusterEnabled && config.replicaOf != nil {
            throw ConfigLoadError(nil, "replicaof directive not allowed in cluster mode")
        }
        if !asksForThreads { config.leaveCoreToFileWriter() }
        config.normalise()
    }
}

// Lines.
extension ConfigLoader {
    private mutating func apply(_ lines: [ConfigLine]) throws(ConfigLoadError) {
        for line in lines { try apply(line) }
    }

    private mutating func apply(_ line: ConfigLine) throws(ConfigLoadError) {
        guard let first = line.arguments.first else {
            throw ConfigLoadError(line.origin, "Unbalanced quotes in configuration line")
        }
        if line.origin.text.contains(0) { throw ConfigLoadError(line.origin, "the line holds a NUL byte") }
        let name = ConfigText.string(first)
        if let index = DirectiveTable.index(of: name) {
            try applyDirective(index, line)
        } else if DirectiveTable.ignoredInFiles.contains(name), line.arguments.count == 2 {
            warnings.append("'\(name)' in \(line.origin.place) means nothing any more and is ignored")
        } else {
            try applyKeyword(name, line)
        }
    }

    private mutating func applyDirective(_ index: Int, _ line: ConfigLine) throws(ConfigLoadError) {
        let directive = DirectiveTable.all[index]
        var arguments = Array(line.arguments.dropFirst())
        if directive.flags.contains(.manyArguments) {
            // One argument may carry them all: --save "60 1".
            if arguments.count == 1, !arguments[0].isEmpty {
                arguments = ConfigText.splitArguments(arguments[0]) ?? []
            }
        } else if arguments.count != 1 {
            throw ConfigLoadError(line.origin, "wrong number of arguments")
        }
        do throws(ConfigRefusal) {
            let isAddition = isSavePoints(directive) && addsSavePoints(line.origin)
            var value = try directive.parse(arguments, current: config.value(at: index), isAddition: isAddition)
            if case .special(.directory) = directive.kind { value = try Config.enter(value.text, fileSystem) }
            config.replace(at: index, with: value)
            if directive.name == "io-threads" { asksForThreads = true }
        } catch {
            throw ConfigLoadError(line.origin, error.reason)
        }
    }

    private func isSavePoints(_ directive: Directive) -> Bool {
        if case .special(.savePoints) = directive.kind { return true }
        return false
    }

    /// Redis lets command-line points add to those of the file; the environment replaces both the file's and the
    /// defaults, and is replaced by the command line.
    private mutating func addsSavePoints(_ origin: ConfigOrigin) -> Bool {
        let before = savePointsOrigin
        switch origin.source {
        case .file, .standardInput: savePointsOrigin = .file
        case .environment: savePointsOrigin = .environment
        case .commandLine: savePointsOrigin = .commandLine
        }
        return switch (before, savePointsOrigin) {
        case (.standard, _), (.file, .environment), (.environment, _): false
        default: true
        }
    }

    private mutating func applyKeyword(_ name: String, _ line: ConfigLine) throws(ConfigLoadError) {
        let arguments = line.arguments
        switch (name, arguments.count) {
        case ("include", 2):
            try include(arguments[1], from: line.origin)
        case ("rename-command", 3):
            renamedCommands.append((arguments[1], arguments[2], line.origin))
        case ("user", 2...):
            userLines.append(line)
        case ("loadmodule", 2...):
            throw ConfigLoadError(line.origin, "loadmodule is not supported: this server has no module interface")
        case ("sentinel", 1):
            break
        case ("sentinel", _):
            guard isSentinel else {
                throw ConfigLoadError(line.origin, "sentinel directive while not in sentinel mode")
            }
            sentinelLines.append(line)
        default:
            let suggestion = DirectiveTable.suggestion(for: arguments[0])
            throw ConfigLoadError(
                line.origin, "Bad directive or wrong number of arguments",
                suggestion: suggestion == name ? nil : suggestion)
        }
    }

    /// Reads the file, or every file that the glob matches, where the line stands.
    private mutating func include(_ path: [UInt8], from origin: ConfigOrigin) throws(ConfigLoadError) {
        let paths = ConfigPattern.isPlain(path) ? [path] : fileSystem.paths(path)
        for path in paths {
            let absolute = fileSystem.absolutePath(path)
            if includeStack.contains(absolute) {
                let chain = (includeStack + [absolute]).map { ConfigText.string($0) }.joined(separator: " -> ")
                throw ConfigLoadError(origin, "include loop: \(chain)")
            }
            guard includeStack.count < ConfigLoader.includeDepthMax else {
                throw ConfigLoadError(origin, "files include each other more than \(ConfigLoader.includeDepthMax) deep")
            }
            let content = try read(absolute)
            includeStack.append(absolute)
            try apply(ConfigFile.lines(of: content, from: .file(path: path)))
            includeStack.removeLast()
        }
    }
}

// The environment.
extension ConfigLoader {
    /// `FOG_<DIRECTIVE>`, in upper case with `_` for `-`. Other names with that prefix are only warned about, because
    /// container platforms invent some (FOG_SERVICE_HOST; FOG_PORT=tcp://... for a service called fog).
    private mutating func applyEnvironment(_ name: [UInt8], _ value: [UInt8]) throws(ConfigLoadError) {
        guard name.starts(with: Array("FOG_".utf8)) else { return }
        let suffix = ConfigText.string(Array(name.dropFirst(4)))
        guard let directive = DirectiveTable.name(forEnvironment: suffix) else {
            let guess = DirectiveTable.suggestion(for: name.dropFirst(4).map { $0 == UInt8(ascii: "_") ? 45 : $0 })
            let hint = guess.map { ", did you mean FOG_" + DirectiveTable.environmentForm($0) + "?" }
            warnings.append("environment variable \(ConfigText.string(name)) names no directive\(hint ?? "")")
            return
        }
        if directive == "port", value.starts(with: Array("tcp://".utf8)) {
            warnings.append("environment variable FOG_PORT is a service link, not a port: ignored")
            return
        }
        let text = Array("\(directive) ".utf8) + ConfigText.quoted(value)
        let origin = ConfigOrigin(source: .environment(variable: name), lineNumber: 1, text: text)
        try apply(ConfigLine(origin: origin, arguments: [Array(directive.utf8), value]))
    }
}
