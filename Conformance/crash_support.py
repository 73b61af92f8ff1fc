"""What the crash tests share: a client that says when the server is gone, and a server that can be killed."""
from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

from power_cut import Witness

START_SECONDS = 60


class Gone(Exception):
    """The connection ended."""


class Client:
    """One connection; `call` sends a command and returns its reply, errors as text that begins with '-'."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.buffer = b""

    def call(self, *words: object) -> object:
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        request = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)
        try:
            self.socket.sendall(request)
            return self.reply()
        except OSError as error:
            raise Gone from error

    def line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            self.fill()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def fill(self) -> None:
        more = self.socket.recv(65536)
        if not more:
            raise Gone
        self.buffer += more

    def reply(self) -> object:
        line = self.line()
        if line[:1] == b"$":
            size = int(line[1:])
            if size < 0:
                return None
            while len(self.buffer) < size + 2:
                self.fill()
            text, self.buffer = self.buffer[:size], self.buffer[size + 2 :]
            return text.decode("latin-1")
        if line[:1] == b":":
            return int(line[1:])
        if line[:1] == b"*":
            return [self.reply() for _ in range(int(line[1:]))]
        return line.decode()


class StartRefused(Exception):
    """The server ended at its start; the text is the end of its log."""


class Server:
    """A server on `folder`; the log goes beside it."""

    def __init__(self, binary: Path, folder: str, port: int, *options: str, witness: Witness | None = None) -> None:
        self.port = port
        self.folder = folder
        self.witness = witness
        self.log = open(folder + ".log", "ab")
        line = [str(binary), "--port", str(port), "--save", "", "--dir", folder, *options]
        self.process = subprocess.Popen(witness.command(line) if witness else line, stdout=self.log, stderr=self.log)

    def wait(self) -> "Server":
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise StartRefused(Path(self.log.name).read_text("utf-8", "replace")[-1500:])
            try:
                if Client(self.port).call("PING") == "+PONG":
                    if self.witness:
                        self.witness.attach(self.process.pid)
                    return self
            except (OSError, Gone):
                pass
            time.sleep(0.02)
        raise SystemExit(f"the server does not answer, see {self.log.name}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.log.close()

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()
        self.log.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
