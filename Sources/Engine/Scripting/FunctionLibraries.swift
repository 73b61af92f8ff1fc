// FunctionLibraries.swift - libraries of functions by name, and all their functions by theirs. Names of functions are
// found in either case, as in Redis; names of libraries are exact. Values only: compiling and running are the engine's.
// Under the turn.
internal import Base

/// A function that a library registered.
package struct LibraryFunction {
    package let name: [UInt8]
    package let description: [UInt8]?
    package let flags: ScriptFlags
    let function: ScriptFunction
}

package struct FunctionLibrary {
    package let name: [UInt8]
    package let code: [UInt8]
    package let functions: [LibraryFunction]
}

package struct FunctionLibraries {
    /// In the order in which they were loaded.
    package private(set) var all: [FunctionLibrary] = []
    private var byFunction: [UInt64: LibraryFunction] = [:]

    init() {}

    /// Functions of all libraries (INFO number_of_functions).
    package var functionCount: Int { all.reduce(0) { $0 + $1.functions.count } }

    /// What texts and names take (INFO used_memory_functions counts them).
    package var byteCount: Int {
        all.reduce(0) { total, library in
            library.functions.reduce(total + library.code.count + library.name.count + 64) {
                $0 + $1.name.count + ($1.description?.count ?? 0) + 64
            }
        }
    }

    /// Letters, digits and underscores.
    static func isName(_ name: Span<UInt8>) -> Bool {
        for index in 0..<name.count {
            let byte = name[index]
            let isLetter = (byte | 0x20) &- UInt8(ascii: "a") < 26
            if !isLetter && byte &- 48 > 9 && byte != UInt8(ascii: "_") { return false }
        }
        return !name.isEmpty
    }

    static var nameText: StaticString {
        """
        Library names can only contain letters, numbers, or underscores(_) and must be at least one character long
        """
    }

    func library(_ name: [UInt8]) -> FunctionLibrary? { all.first { $0.name == name } }

    /// The function with the name, in either case.
    func function(_ name: Span<UInt8>) -> LibraryFunction? {
        guard let found = byFunction[FunctionLibraries.hash(name)] else { return nil }
        if found.name.span.equalsIgnoringCase(name) { return found }
        // Two names of one hash: rare enough to look at all.
        for library in all {
            for function in library.functions where function.name.span.equalsIgnoringCase(name) { return function }
        }
        return nil
    }

    mutating func add(_ library: FunctionLibrary) {
        all.append(library)
        for function in library.functions { byFunction[FunctionLibraries.hash(function.name.span)] = function }
    }

    /// Takes a library away; the caller makes the interpreter forget its functions.
    mutating func remove(_ name: [UInt8]) -> FunctionLibrary? {
        guard let index = all.firstIndex(where: { $0.name == name }) else { return nil }
        let library = all.remove(at: index)
        byFunction = [:]
        for rest in all {
            for function in rest.functions { byFunction[FunctionLibraries.hash(function.name.span)] = function }
        }
        return library
    }

    /// Of the name in small letters.
    private static func hash(_ name: Span<UInt8>) -> UInt64 {
        var value: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in 0..<name.count {
            value = (value ^ UInt64(ByteComparison.lowercased(name[index]))) &* 0x0000_0100_0000_01B3
        }
        return value
    }
}
