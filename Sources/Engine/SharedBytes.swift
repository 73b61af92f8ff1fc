// SharedBytes.swift - bytes that many connections of one loop send: frames of published messages, written once, one
// behind the other. The engine writes them under the turn; then the loop takes them as they are and writes ranges of
// them to its sockets. A connection that lags behind keeps them alive.
package import Base

package final class SharedBytes: @unchecked Sendable {
    // Sendable because the engine has no reference to it any more when a loop has taken it.
    package var buffer = ByteBuffer()

    package init() {}
}
