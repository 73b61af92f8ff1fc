// SystemError.swift - the outside world said no: errno and the operation that met it. Thrown by every door to the
// system, handled at the top of the subsystem that called. Text is made only when somebody shows it.
internal import CLinux

package struct SystemError: Error, Equatable, Sendable {
    /// errno of the failed call.
    package let code: Int32
    /// The call or action, as an operator would name it: "bind 127.0.0.1:6379".
    package let operation: String

    package init(code: Int32 = fog_errno(), operation: String) {
        self.code = code
        self.operation = operation
    }

    /// strerror's text for the code.
    package var reason: String { unsafe String(cString: strerror(code)) }
}

extension SystemError: CustomStringConvertible {
    package var description: String { "\(operation): \(reason)" }
}
