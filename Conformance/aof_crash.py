"""Kills servers with an append only file at random moments and looks at what they still know afterwards.

Rounds: writers send one command at a time and note what was acknowledged; the server is killed with SIGKILL, in some
rounds inside a BGREWRITEAOF, in some the file's end is torn as a power cut tears it; it starts again on the same
directory. Under `always` everything acknowledged must be there, under `everysec` everything older than two seconds.
Then the file's disk is filled (a small tmpfs, which needs root): writes must be refused with MISCONF, reads served, and
service must come back when there is room. Finally Redis 7.0 opens the directory, writes, and Fog opens it again.

    aof_crash.py [--rounds N] [--policy always|everysec|both] [--seed S] [--skip-disk] [--skip-exchange]
"""
from __future__ import annotations

import argparse
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from servers import fog_binary, redis_binary

WRITERS = 8
TORN = b"*3\r\n$3\r\nSET\r\n$4\r\ntorn\r\n$100\r\nabc"
OPEN = b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$4\r\ntorn\r\n$1\r\n1\r\n"


class Gone(Exception):
    """The connection ended."""


class Client:
    """One connection; `call` sends a command and returns its reply, errors as text that begins with '-'."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.buffer = b""

    def call(self, *words: object) -> object:
        parts = [str(word).encode() for word in words]
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
            return text.decode()
        if line[:1] == b":":
            return int(line[1:])
        if line[:1] == b"*":
            return [self.reply() for _ in range(int(line[1:]))]
        return line.decode()


class Server:
    """A server on `folder`; the log goes beside it."""

    def __init__(self, binary: Path, folder: str, port: int, *options: str) -> None:
        self.port = port
        self.log = open(folder + ".log", "ab")
        self.process = subprocess.Popen(
            [binary, "--port", str(port), "--save", "", "--dir", folder, "--appendonly", "yes", *options],
            stdout=self.log, stderr=self.log)

    def wait(self) -> "Server":
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise SystemExit(f"the server did not start, see {self.log.name}")
            try:
                if Client(self.port).call("PING") == "+PONG":
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


def write(number: int, port: int, round_number: int, acknowledged: dict[str, tuple[str, float]]) -> None:
    try:
        client = Client(port)
        count = 0
        while True:
            key, value = f"{round_number}:{number}:{count}", f"value-{count}"
            if client.call("SET", key, value) == "+OK":
                acknowledged[key] = (value, time.monotonic())
            count += 1
    except (Gone, OSError):
        return


def last_increment(folder: str) -> Path:
    def sequence(path: Path) -> int:
        return int(path.name.split(".")[-3])

    return max(Path(folder, "appendonlydir").glob("*.incr.aof"), key=sequence)


def kill_rounds(policy: str, rounds: int, chance: random.Random) -> bool:
    """True when nothing was lost that must not be."""
    folder = tempfile.mkdtemp(prefix="fog-aof-")
    binary = fog_binary().path
    port = free_port()
    known: dict[str, tuple[str, float]] = {}
    lost = total = rewrites = torn = 0
    for round_number in range(rounds):
        server = Server(binary, folder, port, "--appendfsync", policy).wait()
        acknowledged: dict[str, tuple[str, float]] = {}
        threads = [
            threading.Thread(target=write, args=(number, port, round_number, acknowledged)) for number in range(WRITERS)
        ]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.02, 0.3))
        if chance.random() < 0.4:
            Client(port).call("BGREWRITEAOF")
            rewrites += 1
            time.sleep(chance.uniform(0, 0.06))
        server.kill()
        killed = time.monotonic()
        for thread in threads:
            thread.join()
        if chance.random() < 0.5:
            torn += 1
            with open(last_increment(folder), "ab") as file:
                file.write(chance.choice([TORN, OPEN, TORN[: chance.randrange(1, len(TORN))]]))
        server = Server(binary, folder, port, "--appendfsync", policy).wait()
        client = Client(port)
        total += len(acknowledged)
        kept = {}
        for key, (value, when) in acknowledged.items():
            if client.call("GET", key) == value:
                kept[key] = (value, when)
            elif policy == "always" or killed - when > 2:
                lost += 1
        for key in chance.sample(sorted(known), min(50, len(known))):
            if client.call("GET", key) != known[key][0]:
                lost += 1
        known.update(kept)
        if client.call("EXISTS", "torn"):
            lost += 1
        server.kill()
    leftovers = [path.name for path in Path(folder).rglob("temp-*")]
    print(
        f"{policy}: {rounds} rounds, {rewrites} inside a rewrite, {torn} with a torn end; {total} writes acknowledged,"
        f" {lost} lost; temporary files of the last kill: {len(leftovers)}")
    shutil.rmtree(folder)
    os.remove(folder + ".log")
    return lost == 0


def full_disk(policy: str) -> bool:
    folder = tempfile.mkdtemp(prefix="fog-aof-disk-")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=False).returncode:
        print("full disk: skipped, a tmpfs cannot be mounted here")
        return True
    try:
        return fill(policy, folder)
    finally:
        subprocess.run(["umount", folder], check=False)
        os.rmdir(folder)


def fill(policy: str, folder: str) -> bool:
    binary, port = fog_binary().path, free_port()
    ballast = Path(folder, "ballast")
    ballast.write_bytes(bytes(1 << 20))
    server = Server(binary, folder, port, "--appendfsync", policy).wait()
    client = Client(port)
    client.call("SET", "first", "1")
    acknowledged, refusal = {}, ""
    for number in range(20_000):
        reply = client.call("SET", f"key:{number}", "x" * 1000)
        if reply != "+OK":
            refusal = str(reply)
            break
        acknowledged[f"key:{number}"] = True
    checks = {
        "writes are refused with MISCONF": refusal.startswith("-MISCONF Errors writing to the AOF file"),
        "reads are served": client.call("GET", "first") == "1",
        "INFO says err": "aof_last_write_status:err" in str(client.call("INFO", "persistence")),
        "the server lives": server.process.poll() is None,
    }
    ballast.unlink()
    end = time.monotonic() + 10
    back = False
    while not back and time.monotonic() < end:
        back = client.call("SET", "afterwards", "1") == "+OK"
        time.sleep(0.05)
    checks["service comes back"] = back
    checks["INFO says ok"] = "aof_last_write_status:ok" in str(client.call("INFO", "persistence"))
    time.sleep(0.1)
    server.kill()
    server = Server(binary, folder, port, "--appendfsync", policy).wait()
    client = Client(port)
    missing = [key for key in acknowledged if client.call("GET", key) is None]
    # Under `everysec` the last ones before the refusal were acknowledged before the disk was asked.
    checks["nothing acknowledged is lost"] = not missing and client.call("GET", "afterwards") == "1"
    server.kill()
    for name, holds in checks.items():
        print(f"full disk, {policy}: {name}: {'yes' if holds else 'NO'}")
    return all(checks.values())


def exchange() -> bool:
    folder, port = tempfile.mkdtemp(prefix="fog-aof-swap-"), free_port()
    fog, redis = fog_binary().path, redis_binary().path
    expected: dict[str, str] = {}
    for number in range(6):
        binary = fog if number % 2 == 0 else redis
        server = Server(binary, folder, port).wait()
        client = Client(port)
        for key, value in expected.items():
            if client.call("GET", key) != value:
                print(f"exchange: {binary.name} does not know {key}")
                return False
        for index in range(50):
            client.call("SET", f"{number}:{index}", f"{binary.name}-{index}", "EX", "1000")
            expected[f"{number}:{index}"] = f"{binary.name}-{index}"
        for words in (["MULTI"], ["INCR", "counter"], ["RPUSH", "list", number], ["EXEC"]):
            client.call(*words)
        if number >= 2:
            client.call("BGREWRITEAOF")
            time.sleep(0.5)
        expected["counter"] = str(number + 1)
        client.call("SET", "last", number)
        expected["last"] = str(number)
        server.end()
    print("exchange: the directory went from Fog to Redis 7.0 and back three times, with rewrites by both")
    shutil.rmtree(folder)
    return True


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=100)
    options.add_argument("--policy", choices=["always", "everysec", "both"], default="both")
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("--skip-disk", action="store_true")
    options.add_argument("--skip-exchange", action="store_true")
    chosen = options.parse_args()
    print(f"seed {chosen.seed}")
    chance = random.Random(chosen.seed)
    policies = ["always", "everysec"] if chosen.policy == "both" else [chosen.policy]
    results = [kill_rounds(policy, chosen.rounds, chance) for policy in policies]
    if not chosen.skip_disk:
        results += [full_disk(policy) for policy in policies]
    if not chosen.skip_exchange:
        results.append(exchange())
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
