"""Raw bytes on the wire: inline commands, protocol errors and where the server closes, split and huge input.

Each case opens a connection of its own, writes bytes, and records every byte that comes back and whether the
server closed. Both are part of the protocol: a client library notices either.
"""
from __future__ import annotations

import time

from resp import encode, show_bytes
from session import Session

PROTOCOLS = (2,)
SILENCE_SECONDS = 0.12

INLINE = (
    b"PING\r\n", b"PING\n", b"\r\nPING\r\n", b"\n\n\nPING\r\n", b"   PING   \r\n", b"PING hello\r\n",
    b"\tPING\ta\t\r\n",
    b"PING \"hello world\"\r\n", b"PING 'hello world'\r\n", b"PING \"a\\x41\\n\\r\\t\\b\\a\\\\\\\"\"\r\n",
    b"PING 'it\\'s'\r\n", b"PING \"unbalanced\r\n", b"PING 'unbalanced\r\n", b"PING \"a\"b\r\n", b"PING 'a'b\r\n",
    b"PING a\"b\"\r\n", b"PING \"\"\r\n", b"PING ''\r\n", b"PING \"\\xzz\"\r\n", b"PING \"\\q\"\r\n",
    b"PING 'a\\nb'\r\n",
    b"SET k v\r\nGET k\r\n", b"SET k \"\"\r\nGET k\r\n", b"GET\r\n", b"NOSUCH a b\r\n", b"PING a b\r\n",
    b"\x00PING\r\n",
    b"PING \x00\r\n", b"PING a\x00b\r\nPING\r\n", b"PING \xff\xfe\r\n", b"PING\r", b"PING\r\r\n", b"\rPING\r\n",
    b"POST / HTTP/1.1\r\n", b"Host: localhost\r\n", b"post x\r\n", b"host: x\r\n", b"POST\r\n", b"Host:\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nPING\r\n", b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nPING\r\n",
    b"PING \"" + b"a" * 1000 + b"\"\r\n", b"+OK\r\n", b"$3\r\nGET\r\n", b":1\r\n", b"-ERR x\r\n", b"%1\r\n",
    b"QUIT\r\nPING\r\n",
)

BROKEN = (
    b"*-10\r\n", b"*0\r\n", b"*-1\r\n", b"*0\r\nPING\r\n", b"*-1\r\nPING\r\n", b"*\r\n", b"*abc\r\n", b"*1a\r\n",
    b"* 1\r\n",
    b"*+1\r\n$4\r\nPING\r\n", b"*01\r\n$4\r\nPING\r\n", b"*1 \r\n", b"*2147483647\r\n", b"*2147483648\r\n",
    b"*9223372036854775807\r\n", b"*9223372036854775808\r\n", b"*-9223372036854775808\r\n", b"*-2147483649\r\n",
    b"*99999999999999999999\r\n", b"*1048576\r\n", b"*1048577\r\n", b"*20000000\r\n",
    b"*1\r\n$\r\n", b"*1\r\n$abc\r\n", b"*1\r\n$-1\r\n", b"*1\r\n$-10\r\n", b"*1\r\n$ 4\r\nPING\r\n",
    b"*1\r\n$+4\r\nPING\r\n",
    b"*1\r\n$04\r\nPING\r\n", b"*1\r\n$536870913\r\n", b"*1\r\n$2147483648\r\n", b"*1\r\n$9223372036854775807\r\n",
    b"*1\r\n$9223372036854775808\r\n", b"*1\r\n$99999999999999999999\r\n",
    b"*1\r\nPING\r\n", b"*1\r\n:4\r\nPING\r\n", b"*1\r\n\r\n", b"*2\r\n$4\r\nPING\r\nfoo\r\n",
    b"*1\r\n*1\r\n$4\r\nPING\r\n",
    b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n", b"*1\r\n\x00\r\n", b"*1\r\n\xff\r\n", b"*1\r\n\n",
    b"*1\r\n$4\r\nPINGxxPING\r\n", b"*1\r\n$4\r\nPING*1\r\n$4\r\nPING\r\n", b"*1\r\n$0\r\n\r\n",
    b"*2\r\n$0\r\n\r\n$1\r\na\r\n",
    b"*1\r\n$4\nPING\r\n", b"*1\n$4\r\nPING\r\n", b"*1\r\n$4\r\nPING\r\n*x\r\n", b"*1\r\n$4\r\nPING\r\n*1\r\n$x\r\n",
    b"*2\r\n$4\r\nPING\r\n$5\r\nhello\r\nPING\r\n*1\r\n$4\r\nPING\r\n", b"*1\r\n$4\r\nQUIT\r\n*1\r\n$4\r\nPING\r\n",
    b"*" + b"1" * 70000, b"*1\r\n$" + b"1" * 70000, b"*" + b"1" * 30 + b"\r\n", b"A" * 70000,
    b"PING " + b"a" * 70000 + b"\r\n",
    b"a " * 40000,
)


def record_exchange(session: Session, data: bytes, title: str) -> None:
    """Writes bytes on a fresh connection; records the bytes that come back and whether the server closed."""
    connection = session.server.connect()
    connection.send_raw(data)
    received, closed = connection.read_to_end(SILENCE_SECONDS)
    connection.close()
    session.note(title, (received, "closed" if closed else "open"))


def record_all(session: Session, cases: tuple[bytes, ...]) -> None:
    """As `record_exchange` for many cases, which wait out their silence together."""
    connections = []
    for case in cases:
        connections.append(session.server.connect())
        connections[-1].send_raw(case)
    time.sleep(SILENCE_SECONDS * 2)
    for case, connection in zip(cases, connections):
        received, closed = connection.read_to_end(0.01)
        connection.close()
        session.note(f"raw {show_bytes(case, 120)}", (received, "closed" if closed else "open"))


def record_split(session: Session, data: bytes, title: str) -> None:
    """Sends the same bytes cut at each possible place; every cut must give the same replies."""
    whole = None
    for cut in range(1, len(data)):
        connection = session.server.connect()
        connection.send_raw(data[:cut])
        time.sleep(0.0005)
        connection.send_raw(data[cut:] + encode("PING", "end-of-case"))
        received = bytearray()
        connection.socket.settimeout(5)
        while b"end-of-case\r\n" not in received:
            chunk = connection.socket.recv(65536)
            if not chunk:
                break
            received += chunk
        connection.close()
        if whole != bytes(received):
            session.note(f"{title} cut at {cut}", bytes(received))
            whole = bytes(received)


def record_dripped(session: Session, data: bytes, title: str) -> None:
    """Sends the bytes one at a time."""
    connection = session.server.connect()
    for byte in data:
        connection.send_raw(bytes([byte]))
        time.sleep(0.0002)
    received, closed = connection.read_to_end(SILENCE_SECONDS)
    connection.close()
    session.note(title, (received, "closed" if closed else "open"))


def stream(session: Session) -> None:
    record_all(session, INLINE + BROKEN)
    commands = (encode("SET", "split", "a\r\nb$3*1"), encode("GET", "split"), b"PING inline\r\n",
                encode("APPEND", "split", ""),
                encode("NOSUCH", "x"), b"\r\n", encode("MGET", "split", "none"), b"PING 'quoted word'\n")
    record_split(session, b"".join(commands), "pipeline")
    record_dripped(session, b"".join(commands), "pipeline, a byte at a time")
    record_exchange(session, b"".join(commands) * 300, "pipeline of 2400 commands")
    record_exchange(session, encode("SET", "big", b"v" * 300000) + encode("STRLEN", "big"), "a value of 300000 bytes")
    record_exchange(session, encode("DEL", *[b"k%d" % number for number in range(5000)]), "5000 keys in a command")
    record_exchange(session, encode(*[b"a"] * 3000), "3000 arguments to no command")
    record_exchange(session, b"PING\r\n" * 5000, "5000 inline commands")
    record_exchange(session, encode("PING") * 20 + b"*1\r\n$bad\r\n" + encode("PING") * 20, "an error amid a pipeline")
    half_closed(session)


def half_closed(session: Session) -> None:
    """A client that shuts its sending side down must still get the replies to what it had sent."""
    connection = session.server.connect()
    connection.send_raw(encode("PING") * 3 + b"*1\r\n$4\r\nPI")
    connection.socket.shutdown(1)
    received, closed = connection.read_to_end(1.0)
    connection.close()
    session.note("half closed", (received, "closed" if closed else "open"))
