"""What hostile, slow, vanishing and very many clients do to the server: memory, liveness, exact closing, clean ends.

Each check starts its own server ($FOG_SERVER, or the release build) and fails with a sentence. `--quick` runs those
that together take well under 40 seconds (`make test`); without it everything runs (`make conformance`). A name or
several run only those; `--list` shows them. `--io-threads N` sets the number of loops (default 4).
"""
from __future__ import annotations

import argparse
import grp
import os
import random
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Callable

from servers import Server, fog_binary, free_port

MEGABYTE = 1 << 20
CHECKS: dict[str, tuple[Callable[[], None], bool]] = {}
LOOPS = 4


class Failed(Exception):
    """A check's expectation does not hold."""


def check(quick: bool = True) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def register(function: Callable[[], None]) -> Callable[[], None]:
        CHECKS[function.__name__] = (function, quick)
        return function
    return register


def expect(condition: bool, text: str) -> None:
    if not condition:
        raise Failed(text)


def start(*options: str) -> Server:
    return Server(fog_binary(), "--io-threads", str(LOOPS), *options)


def connect(server: Server, timeout_seconds: float = 10.0) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", server.port), timeout_seconds)
    client.settimeout(timeout_seconds)
    return client


def encode(*arguments: bytes | str) -> bytes:
    parts = [argument.encode() if isinstance(argument, str) else argument for argument in arguments]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def read_until_closed(client: socket.socket) -> bytes:
    data = b""
    try:
        while chunk := client.recv(65536):
            data += chunk
    except ConnectionResetError:
        pass
    return data


def read_exactly(client: socket.socket, byte_count: int) -> bytes:
    data = bytearray()
    while len(data) < byte_count:
        chunk = client.recv(min(MEGABYTE, byte_count - len(data)))
        if not chunk:
            raise Failed(f"connection closed after {len(data)} of {byte_count} bytes: {bytes(data[-80:])!r}")
        data += chunk
    return bytes(data)


def ask(client: socket.socket, *arguments: bytes | str) -> bytes:
    """One command, one reply of at most a few lines or one bulk."""
    client.sendall(encode(*arguments))
    return read_reply(client)


def read_reply(client: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\r\n"):
        byte = client.recv(1)
        if not byte:
            raise Failed(f"connection closed in a reply: {data!r}")
        data += byte
    if data[:1] == b"$" and data != b"$-1\r\n":
        data += read_exactly(client, int(data[1:-2]) + 2)
    return data


def call(server: Server, *arguments: bytes | str) -> bytes:
    with connect(server) as client:
        return ask(client, *arguments)


def info(server: Server, name: str) -> int:
    found = re.search(rb"\b%s:(\d+)" % name.encode(), call(server, "INFO", "all"))
    expect(found is not None, f"INFO has no {name}")
    assert found is not None
    return int(found.group(1))


def connected(server: Server) -> int:
    """Connected clients, the one that asks among them."""
    return call(server, "CLIENT", "LIST").count(b"\nid=")


def has_command(server: Server, name: str) -> bool:
    return not call(server, name, "?", "?", "?", "?", "?", "?").startswith(b"-ERR unknown command")


def resident_bytes(server: Server) -> int:
    text = Path(f"/proc/{server.pid}/smaps_rollup").read_text()
    return int(re.search(r"Rss:\s+(\d+)", text).group(1)) * 1024  # type: ignore[union-attr]


def processor_seconds(server: Server) -> float:
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def expect_closed(client: socket.socket, seconds: float, what: str) -> None:
    client.settimeout(seconds)
    try:
        while client.recv(MEGABYTE):
            pass
    except ConnectionResetError:
        return
    except socket.timeout:
        raise Failed(f"{what}: the connection is still open after {seconds} s") from None


def eventually(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise Failed(what)


# --- memory ----------------------------------------------------------------------------------------------------------


@check()
def announced_bulks_cost_nothing() -> None:
    with start("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru") as server:
        for index in range(50):
            call(server, "SET", f"key{index}", b"x" * 1000)
        tells = has_command(server, "INFO")
        before, used = resident_bytes(server), info(server, "used_memory") if tells else 0
        clients = [connect(server) for _ in range(40)]
        for client in clients:
            client.sendall(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nabc")
        time.sleep(0.5)
        grown, used_grown = resident_bytes(server) - before, info(server, "used_memory") - used if tells else 0
        expect(grown < 16 * MEGABYTE, f"40 announcements of 512 MB made the process grow by {grown} bytes")
        expect(used_grown < 8 * MEGABYTE, f"used_memory grew by {used_grown}")
        expect(call(server, "DBSIZE") == b":50\r\n", "keys were evicted for bytes nobody sent")
        for client in clients:
            client.close()


@check(quick=False)
def large_value_and_its_memory() -> None:
    with start() as server:
        before = resident_bytes(server)
        with connect(server, 60) as client:
            size = 512 * MEGABYTE
            client.sendall(b"*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$%d\r\n" % size)
            block = bytes(range(256)) * 4096
            for _ in range(size // len(block)):
                client.sendall(block)
            client.sendall(b"\r\n")
            expect(read_reply(client) == b"+OK\r\n", "SET of 512 MB failed")
            expect(ask(client, "GETRANGE", "big", "536870908", "-1") == b"$4\r\n\xfc\xfd\xfe\xff\r\n", "its end differs")
            expect(ask(client, "DEL", "big") == b":1\r\n", "DEL failed")
        eventually(lambda: resident_bytes(server) - before < 64 * MEGABYTE, 15, "512 MB were not given back after DEL")


@check()
def bulk_length_limit() -> None:
    with start("--proto-max-bulk-len", "1mb") as server:
        with connect(server) as client:
            client.sendall(b"*2\r\n$4\r\nECHO\r\n$1048577\r\n")
            expect(read_until_closed(client) == b"-ERR Protocol error: invalid bulk length\r\n", "limit not enforced")
        expect(call(server, "ECHO", b"y" * MEGABYTE)[-3:] == b"y\r\n", "the limit itself must pass")


@check()
def query_buffer_limit() -> None:
    with start("--client-query-buffer-limit", "2mb") as server:
        with connect(server) as client:
            try:
                client.sendall(b"*2\r\n$4\r\nECHO\r\n$%d\r\n" % (8 * MEGABYTE) + b"x" * (8 * MEGABYTE) + b"\r\n")
            except (ConnectionResetError, BrokenPipeError):
                pass
            expect_closed(client, 5, "client-query-buffer-limit")
        expect(call(server, "PING") == b"+PONG\r\n", "the server is gone")
        expect("max query buffer length" in server.log_path.read_text(), "no log line")


@check()
def trickled_arguments_cost_linear_time() -> None:
    with start() as server, connect(server, 60) as client:
        count = 400_000
        pair = b"$1\r\na\r\n" * 2
        started = processor_seconds(server)
        client.sendall(b"*%d\r\n$4\r\nMSET\r\n" % (count + 1))
        stream = pair * (count // 2)
        for offset in range(0, len(stream), 2000):
            client.sendall(stream[offset:offset + 2000])
        expect(read_reply(client) == b"+OK\r\n", "MSET failed")
        spent = processor_seconds(server) - started
        expect(spent < 4, f"{count} trickled arguments cost {spent:.1f} s")


@check()
def idle_connections_are_small() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = 10_000 if hard > 11_000 else 3_000
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 1000), hard))
    try:
        with start() as server:
            call(server, "PING")
            before = resident_bytes(server)
            clients = [connect(server) for _ in range(count - 10)]
            for client in clients[:200]:
                expect(ask(client, "PING") == b"+PONG\r\n", "an idle connection does not answer")
            eventually(lambda: connected(server) >= count - 10, 10, "not all clients are connected")
            each = (resident_bytes(server) - before) / len(clients)
            print(f"    {each:.0f} bytes for each of {len(clients)} idle connections")
            expect(each < 4096, f"an idle connection costs {each:.0f} bytes")
            for client in clients:
                client.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# --- clients that do not read ----------------------------------------------------------------------------------------


@check()
def unread_replies_stay_bounded() -> None:
    with start() as server:
        call(server, "SET", "big", b"x" * MEGABYTE)
        before = resident_bytes(server)
        lazy = connect(server)
        lazy.sendall(encode("GET", "big") * 2000)
        time.sleep(0.3)
        worst = 0.0
        with connect(server) as other:
            for _ in range(300):
                began = time.monotonic()
                expect(ask(other, "PING") == b"+PONG\r\n", "another client is not served")
                worst = max(worst, time.monotonic() - began)
        grown = resident_bytes(server) - before
        expect(grown < 128 * MEGABYTE, f"a client that never reads 2 GB of replies holds {grown} bytes")
        expect(worst < 0.5, f"another client waited {worst:.2f} s")
        for _ in range(2000):
            expect(read_exactly(lazy, MEGABYTE + 12)[:10] == b"$1048576\r\n", "a late reply is wrong")
        lazy.close()


@check()
def pipeline_without_reading() -> None:
    with start() as server:
        count, before = 300_000, resident_bytes(server)
        with connect(server, 30) as client:
            writer = threading.Thread(target=lambda: client.sendall(b"PING\r\n" * count))
            writer.start()
            time.sleep(1)
            grown = resident_bytes(server) - before
            data = read_exactly(client, 7 * count)
            writer.join()
        expect(data == b"+PONG\r\n" * count, "replies are lost or mixed up")
        expect(grown < 32 * MEGABYTE, f"unread replies made the process grow by {grown}")


@check()
def pipeline_written_before_any_reply_is_read() -> None:
    """As redis-py and others send pipelines: all commands first. Whoever waits for the other then waits for ever."""
    with start() as server:
        call(server, "SET", "k", b"v" * 1000)
        before = resident_bytes(server)
        with connect(server, 20) as client:
            client.sendall(encode("GET", "k") * 600_000 + encode("ECHO", b"x" * 100_000) * 200)
            grown = resident_bytes(server) - before
            reply = b"$1000\r\n" + b"v" * 1000 + b"\r\n"
            for _ in range(600):
                expect(read_exactly(client, 1000 * len(reply)) == reply * 1000, "replies are lost or mixed up")
            for _ in range(200):
                expect(read_exactly(client, 100_011)[:10] == b"$100000\r\nx", "a large reply is lost")
            expect(ask(client, "PING") == b"+PONG\r\n", "the connection does not go on")
        print(f"    {grown >> 20} MB for 32 MB of commands")
        expect(grown < 128 * MEGABYTE, f"32 MB of commands whose replies nobody reads made the process grow by {grown}")
        eventually(lambda: resident_bytes(server) - before < 32 * MEGABYTE, 10, "the memory is not given back")


@check()
def output_limit_drops() -> None:
    with start("--client-output-buffer-limit", "normal 10mb 0 0") as server:
        call(server, "SET", "big", b"x" * (12 * MEGABYTE))
        client = connect(server)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(encode("GET", "big") * 4)
        eventually(lambda: connected(server) == 1, 5, "the slow reader was not dropped")
        expect("overcoming of output buffer limits" in server.log_path.read_text(), "no log line")
        client.close()


@check()
def soft_output_limit_drops_after_its_time() -> None:
    with start("--client-output-buffer-limit", "normal 0 1mb 2") as server:
        call(server, "SET", "big", b"x" * (12 * MEGABYTE))
        client = connect(server)
        client.sendall(encode("GET", "big"))
        time.sleep(1)
        expect(connected(server) == 2, "dropped before its time")
        eventually(lambda: connected(server) == 1, 5, "not dropped after its time")
        client.close()


@check()
def monitor_that_never_reads_is_dropped() -> None:
    with start("--client-output-buffer-limit", "normal 4mb 0 0") as server:
        if not has_command(server, "MONITOR"):
            print("    left out: this build has no MONITOR")
            return
        before = resident_bytes(server)
        watcher = connect(server)
        expect(ask(watcher, "MONITOR") == b"+OK\r\n", "MONITOR failed")
        with connect(server, 30) as client:
            for _ in range(60):
                client.sendall(encode("SET", "k", b"v" * 10_000) * 50)
                read_exactly(client, 5 * 50)
        eventually(lambda: connected(server) == 1, 5, "MONITOR was not dropped at its limit")
        grown = resident_bytes(server) - before
        expect(grown < 64 * MEGABYTE, f"the process grew by {grown}")
        watcher.close()


# --- clients that stall, half-close, vanish --------------------------------------------------------------------------


@check()
def half_closed_clients_get_their_replies() -> None:
    with start() as server:
        for count in (1, 100, 20_000):
            with connect(server, 20) as client:
                writer = threading.Thread(target=lambda: (client.sendall(encode("ECHO", "x" * 50) * count),
                                                          client.shutdown(socket.SHUT_WR)))
                writer.start()
                time.sleep(0.1)
                data = read_until_closed(client)
                writer.join()
            expect(data == b"$50\r\n" + b"x" * 50 + b"\r\n" if count == 1 else len(data) == 57 * count,
                   f"{count} commands before a half-close gave {len(data)} bytes")


@check()
def vanished_clients_leave_nothing() -> None:
    with start() as server:
        randomness = random.Random(1)
        for number in range(300):
            client = connect(server)
            if number % 3 == 0:
                client.sendall(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\n" + b"x" * randomness.randrange(70_000))
            elif number % 3 == 1:
                client.sendall(encode("ECHO", b"y" * 1000) * randomness.randrange(1, 800))
            else:
                client.sendall(encode("CLIENT", "PAUSE", "20") + encode("GET", "k") * 10)
            if number % 2:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        eventually(lambda: connected(server) == 1, 10, "vanished clients stay connected")


@check()
def idle_clients_time_out() -> None:
    with start("--timeout", "1") as server:
        client = connect(server)
        expect(ask(client, "PING") == b"+PONG\r\n", "PING failed")
        stalled = connect(server)
        stalled.sendall(b"*2\r\n$4\r\nECHO\r\n$5\r\nab")
        expect_closed(client, 5, "timeout 1")
        expect_closed(stalled, 5, "timeout 1, stalled in a command")


@check()
def client_limit() -> None:
    with start("--maxclients", "10") as server:
        clients = [connect(server) for _ in range(10)]
        for client in clients:
            expect(ask(client, "PING") == b"+PONG\r\n", "a client within the limit is refused")
        with connect(server) as refused:
            expect(read_until_closed(refused) == b"-ERR max number of clients reached\r\n", "wrong refusal")
        clients.pop().close()
        time.sleep(0.3)
        expect(call(server, "PING") == b"+PONG\r\n", "no recovery after a client left")
        for client in clients:
            client.close()


def settled_descriptor_count(server: Server) -> int:
    """The server's open descriptors, once the connection that asked whether it is up is gone."""
    count = -1
    for _ in range(50):
        now = len(os.listdir(f"/proc/{server.pid}/fd"))
        if now == count:
            break
        count = now
        time.sleep(0.1)
    return count


@check()
def descriptors_run_out() -> None:
    with start() as server:
        held = settled_descriptor_count(server)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (held + 8, held + 8))
        clients = [connect(server) for _ in range(30)]
        time.sleep(0.3)
        before = processor_seconds(server)
        time.sleep(1)
        spent = processor_seconds(server) - before
        expect(spent < 0.3, f"out of descriptors, the server burned {spent:.2f} s of a second")
        lines = server.log_path.read_text().count("Error accepting")
        expect(1 <= lines < 30, f"{lines} log lines about it")
        expect_pong(server, clients[0], "a connected client is not served")
        for client in clients[:25]:
            client.close()
        expect_pong(server, clients[29], "no recovery when descriptors are free again")


def expect_pong(server: Server, client: socket.socket, text: str) -> None:
    """PING gets its answer; a failure says `text` and shows the server's last words."""
    try:
        reply = ask(client, "PING")
    except (Failed, OSError) as failure:
        raise Failed(f"{text}: {failure}; the server's log ends with: {server.log_tail()}") from failure
    expect(reply == b"+PONG\r\n", f"{text}: {reply!r}")


# --- protocol --------------------------------------------------------------------------------------------------------

PROTOCOL_ERRORS = [
    (b"*a\r\n", b"invalid multibulk length"), (b"*3000000000\r\n", b"invalid multibulk length"),
    (b"*1\r\n:1\r\n", b"expected '$', got ':'"), (b"*1\r\n$-1\r\n", b"invalid bulk length"),
    (b"*1\r\n$x\r\n", b"invalid bulk length"), (b"SET a \"b\r\n", b"unbalanced quotes in request"),
    (b"*" + b"1" * 70_000, b"too big mbulk count string"), (b"*1\r\n$" + b"1" * 70_000, b"too big bulk count string"),
    (b"x" * 70_000, b"too big inline request"),
]


@check()
def protocol_errors_close() -> None:
    with start() as server:
        for sent, text in PROTOCOL_ERRORS:
            with connect(server) as client:
                client.sendall(sent)
                data = read_until_closed(client)
                expect(data == b"-ERR Protocol error: " + text + b"\r\n", f"{sent[:40]!r} gave {data!r}")
        for sent in (b"*0\r\n", b"*-1\r\n", b"*-9223372036854775808\r\n", b"\r\n"):
            with connect(server) as client:
                client.sendall(sent + b"PING\r\n")
                expect(read_reply(client) == b"+PONG\r\n", f"{sent!r} is no empty command")
        with connect(server) as client:
            client.sendall(encode("ECHO", "1") + b"*1\r\n:")
            expect(read_reply(client) == b"$1\r\n1\r\n", "a command before an error gets its reply")


@check()
def http_is_cut_off() -> None:
    with start() as server:
        for sent in (b"POST / HTTP/1.1\r\n", b"Host: example\r\n", b"*1\r\n$5\r\nhost:\r\n"):
            with connect(server) as client:
                client.sendall(sent + b"PING\r\n")
                expect(read_until_closed(client) == b"", f"{sent!r} must be closed without a reply")
        expect(server.log_path.read_text().count("Possible SECURITY ATTACK detected") == 3, "no log lines")


@check()
def line_ends_of_users_are_replaced() -> None:
    with start() as server:
        reply = call(server, "no\r\nsuch", "a\nb")
        expect(reply.count(b"\r\n") == 1 and b"\n" not in reply[:-1], f"an error carries line ends: {reply!r}")


@check()
def before_authentication() -> None:
    with start("--requirepass", "secret") as server:
        for sent, text in ((b"*11\r\n", b"unauthenticated multibulk length"),
                           (b"*1\r\n$16385\r\n", b"unauthenticated bulk length")):
            with connect(server) as client:
                client.sendall(sent)
                expect(read_until_closed(client) == b"-ERR Protocol error: " + text + b"\r\n", f"{sent!r}")
        with connect(server) as client:
            client.sendall(encode("AUTH", "secret") + encode("ECHO", b"z" * 100_000) + encode("PING"))
            expect(read_exactly(client, 5 + 9 + 100_000 + 2 + 7)[-7:] == b"+PONG\r\n", "AUTH with a large command")
        expect(call(server, "nosuch").startswith(b"-ERR unknown command"), "unknown command comes before NOAUTH")
        expect(call(server, "GET").startswith(b"-ERR wrong number"), "arity comes before NOAUTH")
        expect(call(server, "GET", "k") == b"-NOAUTH Authentication required.\r\n", "NOAUTH")
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.port))
        client.settimeout(5)
        try:
            while True:
                client.sendall(encode("GET", "k") * 1000)
        except socket.timeout:
            raise Failed("unread replies before AUTH are not limited") from None
        except OSError:
            client.close()


@check()
def commands_split_everywhere() -> None:
    stream = encode("ECHO", b"a\r\nb") + b"ECHO \"q \\x41\"\r\n" + encode("SET", "k", "") + b"*0\r\n" + encode("GET", "k")
    wanted = b"$4\r\na\r\nb\r\n$3\r\nq A\r\n+OK\r\n$0\r\n\r\n"
    with start() as server:
        for first in range(1, len(stream)):
            with connect(server) as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.sendall(stream[:first])
                time.sleep(0.001)
                client.sendall(stream[first:])
                data = read_exactly(client, len(wanted))
                expect(data == wanted, f"split at {first}: {data!r}")


@check()
def many_quoted_words_in_one_read() -> None:
    with start() as server, connect(server) as client:
        count = 4000
        client.sendall(b"".join(b"ECHO \"\\x61 %06d\"\r\n" % number for number in range(count)))
        wanted = b"".join(b"$8\r\na %06d\r\n" % number for number in range(count))
        expect(read_exactly(client, len(wanted)) == wanted, "quoted words of one read are mixed up")


@check()
def reply_skip_ends_with_a_refusal() -> None:
    with start() as server, connect(server) as client:
        client.sendall(encode("CLIENT", "REPLY", "SKIP") + encode("nosuch") + encode("PING"))
        expect(read_reply(client) == b"+PONG\r\n", "SKIP lasted longer than one command")


# --- the process -----------------------------------------------------------------------------------------------------


@check()
def signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        with start() as server:
            assert server.process is not None
            server.process.send_signal(signal.SIGHUP)
            time.sleep(0.2)
            expect(call(server, "PING") == b"+PONG\r\n", "SIGHUP ended the server")
            held = connect(server)
            server.process.send_signal(number)
            expect(server.process.wait(5) == 0, f"exit status {server.exit_code()} after {number}")
            expect("bye bye" in server.log_path.read_text(), "no farewell in the log")
            held.close()


@check()
def crash_report() -> None:
    for number in (signal.SIGSEGV, signal.SIGILL, signal.SIGABRT):
        with start() as server:
            assert server.process is not None
            began = time.monotonic()
            server.process.send_signal(number)
            status = server.process.wait(10)
            expect(status == -number, f"ended with {status} instead of by signal {number}")
            expect(time.monotonic() - began < 4, "a crash took longer than four seconds")
            log = server.log_path.read_text()
            for part in ("crashed by signal: %d" % number, "STACK TRACE", "fog-server", "BUG REPORT END"):
                expect(part in log, f"the report lacks {part!r}: {log[-600:]}")


@check()
def second_start_on_a_busy_port() -> None:
    with start() as server:
        result = subprocess.run([str(server.binary.path), "--port", str(server.port), "--bind", "127.0.0.1",
                                 "--always-show-logo", "yes"],
                                capture_output=True, text=True, timeout=10, cwd=server.folder, check=False)
        expect(result.returncode == 1, f"exit status {result.returncode}")
        for line in (f"Could not create server TCP listening socket 127.0.0.1:{server.port}: bind: Address already in use",
                     f"Failed listening on port {server.port} (TCP), aborting."):
            expect(line in result.stdout, f"the log lacks {line!r}: {result.stdout[-400:]}")
        # Redis' own suite takes this for a server that has its port, and would talk to the other one.
        expect("PID:" not in result.stdout, "the process identifier is told by a server that cannot listen")


@check()
def addresses() -> None:
    port = free_port()
    with start("--unixsocket", "fog.sock", "--unixsocketperm", "700") as server:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(server.folder / "fog.sock"))
            expect(ask(client, "PING") == b"+PONG\r\n", "the unix socket does not answer")
            expect(b"fog.sock:0" in ask(client, "CLIENT", "INFO"), "CLIENT INFO names no socket")
        folder = server.folder
        process = subprocess.Popen([str(server.binary.path), "--port", str(port), "--bind", "127.0.0.1", "127.0.0.2",
                                    "-::1", "--save", ""], cwd=folder, stdout=subprocess.DEVNULL)
        try:
            for address in ("127.0.0.1", "127.0.0.2", "::1"):
                eventually(lambda: answers(address, port), 5, f"{address} does not answer")
        finally:
            process.terminate()
            process.wait(10)
        with socket.socket(socket.AF_UNIX) as _:
            process = subprocess.Popen([str(server.binary.path), "--port", "0", "--unixsocket", "only.sock",
                                        "--save", ""], cwd=folder, stdout=subprocess.DEVNULL)
        try:
            eventually((folder / "only.sock").exists, 5, "port 0 with a unix socket does not start")
            time.sleep(0.1)
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(folder / "only.sock"))
                expect(ask(client, "PING") == b"+PONG\r\n", "port 0: the unix socket does not answer")
        finally:
            process.terminate()
            process.wait(10)


@check()
def process_title() -> None:
    def title(server: Server) -> str:
        return Path(f"/proc/{server.pid}/cmdline").read_bytes().rstrip(b"\0").decode()

    with start() as server:
        name = server.binary.path.name
        expect(title(server).endswith(f"{name} 127.0.0.1:{server.port}"), f"the title at start is {title(server)!r}")
        call(server, "CONFIG", "SET", "proc-title-template", "{title} on {port} by {config-file} {server-mode}")
        expect(title(server).endswith(f"{name} on {server.port} by -"), f"the title became {title(server)!r}")
        call(server, "CONFIG", "SET", "proc-title-template", "x" * 4000)
        shown = title(server)
        expect(100 < len(shown) <= 4000 and set(shown) == {"x"}, f"a long title became {shown[:80]!r}")
        call(server, "CONFIG", "SET", "proc-title-template", "short")
        expect(title(server) == "short", f"after a long title a short one became {title(server)!r}")
        expect(call(server, "CONFIG", "SET", "proc-title-template", "{nobody}").startswith(b"-ERR"), "a wrong template")
        expect(title(server) == "short", "a refused template has changed the title")
    with start("--set-proc-title", "no") as server:
        shown = title(server).replace("\0", " ")
        expect(f"--port {server.port}" in shown, f"set-proc-title no: the command line became {shown!r}")


@check()
def unix_socket_group() -> None:
    own = {number for number in os.getgroups() if number != os.getegid()}
    groups = sorted(own or ({1} if os.getuid() == 0 else set()))
    if not groups:
        print("    left out: this user is in no second group")
        return
    name = grp.getgrgid(groups[0]).gr_name
    with start("--unixsocket", "fog.sock", "--unixsocketperm", "770", "--unixsocketgroup", name) as server:
        found = (server.folder / "fog.sock").stat()
        expect(found.st_gid == groups[0], f"the socket's group is {found.st_gid}, not {name}")
        expect(found.st_mode & 0o777 == 0o770, f"the socket's mode is {found.st_mode:o}")
    with start() as server:
        result = subprocess.run([str(server.binary.path), "--port", "0", "--unixsocket", "fog.sock",
                                 "--unixsocketgroup", "no-such-group"], cwd=server.folder, capture_output=True,
                                text=True, timeout=10, check=False)
        expect(result.returncode == 1 and "no-such-group" in result.stdout, f"an unknown group: {result.stdout[-300:]}")


@check()
def collation() -> None:
    if not shutil.which("localedef") or not Path("/usr/share/i18n/locales/en_US").exists():
        print("    left out: no locale can be made here (Debian's package locales)")
        return
    words = ["b", "A", "a", "B", "\u00e4", "z"]
    compare = "local t = {} for i = 1, #ARGV do t[i] = ARGV[i] end table.sort(t) return table.concat(t, ' ')"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["localedef", "-i", "en_US", "-f", "UTF-8", f"{folder}/en_US.UTF-8"], check=True,
                       capture_output=True)
        environment = {"LOCPATH": folder, "LC_ALL": "en_US.UTF-8"}
        saved = {name: os.environ.get(name) for name in environment}
        os.environ.update(environment)
        try:
            server = start()
        finally:
            for name, value in saved.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        with server:
            call(server, "RPUSH", "words", *words)

            def order() -> tuple[str, str]:
                with connect(server) as client:
                    client.sendall(encode("SORT", "words", "ALPHA"))
                    count = int(read_reply(client)[1:-2])
                    shown = [read_reply(client).split(b"\r\n")[1].decode() for _ in range(count)]
                    return " ".join(shown), ask(client, "EVAL", compare, "0", *words).split(b"\r\n")[1].decode()

            human, bytewise = "a A \u00e4 b B z", "A B a b z \u00e4"
            expect(order() == (human, human), f"the environment's locale gives {order()}")
            call(server, "CONFIG", "SET", "locale-collate", "C")
            expect(order() == (bytewise, bytewise), f"the locale C gives {order()}")
            call(server, "CONFIG", "SET", "locale-collate", "en_US.UTF-8")
            expect(order() == (human, human), f"en_US gives {order()}")
            expect(call(server, "CONFIG", "SET", "locale-collate", "nosuch").startswith(b"-ERR"), "an unknown locale")
            expect(order() == (human, human), "a refused locale has changed the order")


def answers(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), 1) as client:
            return ask(client, "PING") == b"+PONG\r\n"
    except OSError:
        return False


# --- everything at once ----------------------------------------------------------------------------------------------


@check(quick=False)
def hammer_one_loop() -> None:
    hammer(1, 20, 200)


@check(quick=False)
def hammer_four_loops() -> None:
    hammer(4, 20, 200)


@check()
def hammer_briefly() -> None:
    hammer(4, 4, 60)


def hammer(loops: int, seconds: float, client_count: int) -> None:
    """Random pipelines with numbered ECHOs, CLIENT KILL, PAUSE and UNPAUSE, MONITOR, disconnects: nothing is lost."""
    wrong: list[str] = []
    done = [0]
    seed = random.randrange(1 << 30)
    with Server(fog_binary(), "--io-threads", str(loops)) as server:
        stop = time.monotonic() + seconds
        threads = [threading.Thread(target=echo_client, args=(server, stop, seed + number, wrong, done))
                   for number in range(8)]
        processes = [spawn_hammer(server.port, seconds, client_count // 4, seed + number) for number in range(4)]
        threads.append(threading.Thread(target=disturber, args=(server, stop, seed)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(seconds + 30)
            expect(not thread.is_alive(), f"seed {seed}: a client hangs")
        for process in processes:
            output, _ = process.communicate(timeout=seconds + 30)
            if process.returncode != 0:
                wrong.append(output.decode()[-300:])
        expect(server.is_alive(), f"seed {seed}: the server died: {server.log_tail()}")
        expect(not wrong, f"seed {seed}: {wrong[:3]}")
        expect(done[0] > 100, f"seed {seed}: only {done[0]} replies came")
        expect(call(server, "PING") == b"+PONG\r\n", "no answer after the hammering")


def spawn_hammer(port: int, seconds: float, clients: int, seed: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, __file__, "--hammer", str(port), str(seconds), str(clients), str(seed)],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def hammer_process(port: int, seconds: float, clients: int, seed: int) -> int:
    """Many clients of one process; a client that is killed connects again."""
    randomness = random.Random(seed)
    stop = time.monotonic() + seconds
    sockets: list[socket.socket | None] = [None] * clients
    while time.monotonic() < stop:
        index = randomness.randrange(clients)
        try:
            client = sockets[index]
            if client is None:
                client = sockets[index] = socket.create_connection(("127.0.0.1", port), 20)
                client.settimeout(20)
            round_of_echoes(client, randomness)
            if randomness.random() < 0.05:
                client.sendall(encode("GET", "x") * randomness.randrange(100) + b"*2\r\n$4\r\nECH")
                client.close()
                sockets[index] = None
        except (ConnectionError, BrokenPipeError):
            sockets[index] = None
    return 0


def round_of_echoes(client: socket.socket, randomness: random.Random) -> int:
    count = randomness.choice((1, 3, 20, 300, 900))
    first = randomness.randrange(1 << 40)
    texts = [b"%d:%s" % (first + number, b"p" * randomness.randrange(40)) for number in range(count)]
    stream = b"".join(encode("ECHO", text) if number % 3 else encode("SET", b"k%d" % (number % 50), text) +
                      encode("ECHO", text) for number, text in enumerate(texts))
    cut = randomness.randrange(len(stream))
    client.sendall(stream[:cut])
    client.sendall(stream[cut:])
    wanted = b"".join((b"" if number % 3 else b"+OK\r\n") + b"$%d\r\n%s\r\n" % (len(text), text)
                      for number, text in enumerate(texts))
    data = bytearray()
    while len(data) < len(wanted):
        chunk = client.recv(65536)
        if not chunk:
            if not wanted.startswith(data):
                raise Failed(f"replies before a close are wrong: {bytes(data[-60:])!r}")
            raise ConnectionError
        data += chunk
    if data != wanted:
        raise Failed(f"lost or reordered replies: {bytes(data[:200])!r}")
    return count


def echo_client(server: Server, stop: float, seed: int, wrong: list[str], done: list[int]) -> None:
    randomness = random.Random(seed)
    client: socket.socket | None = None
    while time.monotonic() < stop:
        try:
            client = client or connect(server, 20)
            done[0] += round_of_echoes(client, randomness)
        except (ConnectionError, BrokenPipeError):
            client = None
        except (Failed, socket.timeout) as failure:
            wrong.append(repr(failure))
            return


def disturber(server: Server, stop: float, seed: int) -> None:
    randomness = random.Random(seed)
    control = connect(server, 20)
    watchers: list[socket.socket] = []
    while time.monotonic() < stop:
        choice = randomness.randrange(6)
        if choice == 0:
            listing = ask(control, "CLIENT", "LIST")
            ids = re.findall(rb"(?m)^id=(\d+)", listing)
            own = re.search(rb"id=(\d+)", ask(control, "CLIENT", "INFO")).group(1)  # type: ignore[union-attr]
            for victim in randomness.sample(ids, min(5, len(ids))):
                if victim != own:
                    ask(control, "CLIENT", "KILL", "ID", victim)
        elif choice == 1:
            ask(control, "CLIENT", "PAUSE", str(randomness.randrange(1, 60)), randomness.choice(("ALL", "WRITE")))
        elif choice == 2:
            ask(control, "CLIENT", "UNPAUSE")
        elif choice == 3:
            watcher = connect(server)
            watcher.sendall(encode("MONITOR"))
            watchers.append(watcher)
        elif watchers:
            watchers.pop(randomness.randrange(len(watchers))).close()
        time.sleep(0.02)
    ask(control, "CLIENT", "UNPAUSE")


def main() -> int:
    global LOOPS
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--io-threads", type=int, default=4)
    parser.add_argument("--hammer", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    LOOPS = options.io_threads
    if options.hammer:
        port, seconds, clients, seed = options.hammer
        return hammer_process(int(port), float(seconds), int(clients), int(seed))
    unknown = [name for name in options.names if name not in CHECKS]
    if unknown:
        parser.error(f"no such check: {', '.join(unknown)}")
    failures = 0
    for name, (function, is_quick) in CHECKS.items():
        if options.list:
            print(name, "" if is_quick else "(not in --quick)")
            continue
        if options.names and name not in options.names or options.quick and not is_quick:
            continue
        began = time.monotonic()
        try:
            function()
            verdict = "ok"
        except Exception as failure:  # a check may fail by any means; the others still run
            failures += 1
            verdict = f"FAILED {type(failure).__name__}: {failure}"
        print(f"{time.monotonic() - began:6.1f} s  {name}: {verdict}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
