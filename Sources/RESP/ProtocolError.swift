// ProtocolError.swift - what a client can do wrong below the level of commands, with Redis' exact words. The server
// answers one of these and closes the connection. Texts that quote a byte carry it.
package import Base

package enum ProtocolError: Error, Equatable {
    case tooBigInline
    case tooBigCountLine
    case tooBigBulkLine
    case invalidMultibulkLength
    case unauthenticatedMultibulkLength
    case invalidBulkLength
    case unauthenticatedBulkLength
    case expectedDollar(UInt8)
    case unbalancedQuotes

    /// Appends the text that follows `-ERR `, without the line end.
    package func append(to output: inout ByteBuffer) {
        output.append("Protocol error: ")
        switch self {
        case .tooBigInline: output.append("too big inline request")
        case .tooBigCountLine: output.append("too big mbulk count string")
        case .tooBigBulkLine: output.append("too big bulk count string")
        case .invalidMultibulkLength: output.append("invalid multibulk length")
        case .unauthenticatedMultibulkLength: output.append("unauthenticated multibulk length")
        case .invalidBulkLength: output.append("invalid bulk length")
        case .unauthenticatedBulkLength: output.append("unauthenticated bulk length")
        case .expectedDollar(let byte):
            output.append("expected '$', got '")
            output.append(byte == 13 || byte == 10 || byte == 0 ? UInt8(ascii: " ") : byte)
            output.append("'")
        case .unbalancedQuotes: output.append("unbalanced quotes in request")
        }
    }
}
