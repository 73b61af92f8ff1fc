"""A raw RESP2/RESP3 client that keeps every reply exactly as it came.

Replies become small trees that remember the type byte and the bytes behind it, so that `+OK` and `$2 OK`,
`*-1` and `$-1`, or `,1` and `,1.0` stay different. Used by the differential runner, the benchmarks and the
Tcl runner's readiness check. It must never convert, decode or reorder anything: comparing is others' work.
"""
from __future__ import annotations

import socket
import time
from typing import NamedTuple, Union

REPLY_TIMEOUT_SECONDS = 8.0

_SCALARS = {
    ord("+"): "simple",
    ord("-"): "error",
    ord(":"): "integer",
    ord(","): "double",
    ord("("): "bignum",
    ord("#"): "boolean",
    ord("_"): "null",
}
_BLOBS = {ord("$"): "bulk", ord("!"): "bulk-error", ord("="): "verbatim"}
_AGGREGATES = {ord("*"): "array", ord("~"): "set", ord(">"): "push", ord("%"): "map", ord("|"): "attribute"}


class Reply(NamedTuple):
    """One node of a reply: `kind` names the type on the wire, `value` is bytes, or a tuple of nodes."""

    kind: str
    value: Union[bytes, tuple["Reply", ...], None]

    def is_error(self) -> bool:
        return self.kind in ("error", "bulk-error")

    def text(self) -> bytes:
        """The bytes of a scalar; an empty string for aggregates and nulls."""
        return self.value if isinstance(self.value, bytes) else b""

    def items(self) -> tuple["Reply", ...]:
        return self.value if isinstance(self.value, tuple) else ()


CLOSED = Reply("closed", None)
TIMED_OUT = Reply("timeout", None)


class ProtocolBroken(Exception):
    """The server sent bytes that are no RESP reply."""


def show_bytes(data: bytes, limit: int = 200) -> str:
    """Printable text for bytes, in the escapes that redis-cli reads back; long text is cut in the middle."""
    out = []
    shown = data if len(data) <= limit else data[: limit // 2]
    for byte in shown:
        if byte in (0x22, 0x5C):
            out.append("\\" + chr(byte))
        elif 0x20 <= byte < 0x7F:
            out.append(chr(byte))
        else:
            out.append({10: "\\n", 13: "\\r", 9: "\\t"}.get(byte, f"\\x{byte:02x}"))
    text = "".join(out)
    return text if len(data) <= limit else f"{text}...({len(data)} bytes)"


def show(reply: Reply, limit: int = 200) -> str:
    """One line for a reply tree, with its types; what the difference list is matched against."""
    if reply.kind in ("closed", "timeout", "null", "null-bulk", "null-array"):
        return f"<{reply.kind}>"
    if isinstance(reply.value, tuple):
        inner = " ".join(show(item, limit) for item in reply.value[:200])
        more = f" ...({len(reply.value)} items)" if len(reply.value) > 200 else ""
        return f"{reply.kind}[{inner}{more}]"
    if reply.kind == "note":
        return reply.text().decode()
    text = show_bytes(reply.text(), limit)
    mark = {"simple": "+", "error": "-", "integer": ":", "double": ",", "bulk": ""}
    if reply.kind == "bulk":
        return f'"{text}"'
    return f"{mark[reply.kind]}{text}" if reply.kind in mark else f"{reply.kind}({text})"


def encode(*arguments: bytes | str | int) -> bytes:
    """A command as a multibulk request."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        data = argument if isinstance(argument, bytes) else str(argument).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(parts)


class Connection:
    """One socket to a server. Pushes that arrive between replies are kept in `pushes`."""

    def __init__(self, port: int, host: str = "127.0.0.1", timeout_seconds: float = REPLY_TIMEOUT_SECONDS) -> None:
        self.socket = socket.create_connection((host, port), timeout=timeout_seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.timeout_seconds = timeout_seconds
        self.buffer = bytearray()
        self.position = 0
        self.pushes: list[Reply] = []

    def close(self) -> None:
        self.socket.close()

    def send_raw(self, data: bytes) -> None:
        """Sends bytes as they are; a peer that is gone shows when the reply is read."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def send(self, *arguments: bytes | str | int) -> None:
        self.send_raw(encode(*arguments))

    def command(self, *arguments: bytes | str | int) -> Reply:
        """Sends one command and returns its reply; pushes that come first are put aside."""
        self.send(*arguments)
        return self.read_reply()

    def pipeline(self, commands: list[tuple[bytes, ...]]) -> list[Reply]:
        """Sends all commands in one write and reads one reply each; stops early when the peer is gone."""
        self.send_raw(b"".join(encode(*command) for command in commands))
        replies: list[Reply] = []
        for _ in commands:
            replies.append(self.read_reply())
            if replies[-1].kind in ("closed", "timeout"):
                break
        return replies

    def read_reply(self, timeout_seconds: float | None = None) -> Reply:
        """The next reply that is not a push."""
        while True:
            reply = self.read_any(timeout_seconds)
            if reply.kind != "push":
                return reply
            self.pushes.append(reply)

    def read_any(self, timeout_seconds: float | None = None) -> Reply:
        """The next frame of any type, or CLOSED, or TIMED_OUT."""
        deadline = time.monotonic() + (self.timeout_seconds if timeout_seconds is None else timeout_seconds)
        try:
            reply = self._parse(deadline)
        except (ConnectionResetError, BrokenPipeError, EOFError):
            return CLOSED
        except (TimeoutError, socket.timeout):
            return TIMED_OUT
        if self.position > 1 << 16:
            del self.buffer[: self.position]
            self.position = 0
        return reply

    def is_closed_by_peer(self, wait_seconds: float = 1.0) -> bool:
        """True when the peer closes within the wait without sending anything more."""
        return self.read_any(wait_seconds) is CLOSED

    def read_to_end(self, wait_seconds: float = 1.0) -> tuple[bytes, bool]:
        """All bytes until the peer closes or stays silent for the wait; and whether it closed."""
        data = bytearray(self.buffer[self.position:])
        self.buffer.clear()
        self.position = 0
        self.socket.settimeout(wait_seconds)
        while True:
            try:
                chunk = self.socket.recv(1 << 16)
            except ConnectionResetError:
                return bytes(data), True
            except (TimeoutError, socket.timeout):
                return bytes(data), False
            if not chunk:
                return bytes(data), True
            data += chunk

    def _fill(self, deadline: float) -> None:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        self.socket.settimeout(remaining)
        chunk = self.socket.recv(1 << 18)
        if not chunk:
            raise EOFError
        self.buffer += chunk

    def _line(self, deadline: float) -> bytes:
        searched_from = self.position
        while True:
            end = self.buffer.find(b"\r\n", searched_from)
            if end >= 0:
                line = bytes(self.buffer[self.position:end])
                self.position = end + 2
                return line
            searched_from = max(self.position, len(self.buffer) - 1)
            self._fill(deadline)

    def _blob(self, count: int, deadline: float) -> bytes:
        while len(self.buffer) - self.position < count + 2:
            self._fill(deadline)
        data = bytes(self.buffer[self.position:self.position + count])
        if self.buffer[self.position + count:self.position + count + 2] != b"\r\n":
            raise ProtocolBroken(f"a blob of {count} bytes is not followed by CRLF: {show_bytes(data)}")
        self.position += count + 2
        return data

    def _parse(self, deadline: float) -> Reply:
        line = self._line(deadline)
        if not line:
            raise ProtocolBroken("an empty line where a reply should start")
        kind_byte, rest = line[0], line[1:]
        if kind_byte in _SCALARS:
            return Reply(_SCALARS[kind_byte], rest)
        if kind_byte in _BLOBS:
            count = self._count(rest, line)
            return Reply("null-bulk", None) if count < 0 else Reply(_BLOBS[kind_byte], self._blob(count, deadline))
        if kind_byte in _AGGREGATES:
            count = self._count(rest, line)
            if count < 0:
                return Reply("null-array", None)
            kind = _AGGREGATES[kind_byte]
            if kind in ("map", "attribute"):
                count *= 2
            items = tuple(self._parse(deadline) for _ in range(count))
            if kind == "attribute":
                return Reply("attributed", (Reply(kind, items), self._parse(deadline)))
            return Reply(kind, items)
        raise ProtocolBroken(f"no reply starts like this: {show_bytes(line)}")

    @staticmethod
    def _count(text: bytes, line: bytes) -> int:
        try:
            return int(text)
        except ValueError:
            raise ProtocolBroken(f"not a length: {show_bytes(line)}") from None
