"""Kills servers with an append only file at random moments and looks at what they still know afterwards.

Rounds: writers send one command at a time and note what was acknowledged; the server is killed with SIGKILL, in some
rounds inside a BGREWRITEAOF, in some the file's end is torn, in some everything that was not synced is forgotten as a
power cut does it (power_cut.py; needs strace); it starts again on the same directory. Under `always` everything
acknowledged must be there, under `everysec` everything older than two seconds; without a power cut `everysec` may only
lose what the last two seconds wrote as well. Rounds under `everysec` last longer than that.
Then the file's disk is filled (a small tmpfs, which needs root): writes must be refused with MISCONF, reads served, and
service must come back when there is room. Finally Redis 7.0 opens the directory, writes, and Fog opens it again.

    aof_crash.py [--rounds N] [--policy always|everysec|both] [--seed S] [--skip-disk] [--skip-exchange]
"""
from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from crash_support import Client, Gone, Server, StartRefused, free_port
from power_cut import Witness, is_possible
from servers import fog_binary, redis_binary

WRITERS = 8
TORN = b"*3\r\n$3\r\nSET\r\n$4\r\ntorn\r\n$100\r\nabc"
OPEN = b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$4\r\ntorn\r\n$1\r\n1\r\n"


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


class Rounds:
    """Rounds under one policy on one folder, and what they found."""

    def __init__(self, policy: str, chance: random.Random) -> None:
        self.policy = policy
        self.chance = chance
        self.folder = tempfile.mkdtemp(prefix="fog-aof-")
        self.binary = fog_binary().path
        self.port = free_port()
        self.known: dict[str, tuple[str, float]] = {}
        self.lost = self.total = self.rewrites = self.torn = self.cuts = self.bytes_forgotten = self.young = 0
        self.refused = self.leftovers = 0

    def run(self, number: int) -> None:
        has_cut = is_possible() and self.chance.random() < 0.4
        witness = Witness(self.folder) if has_cut else None
        server = self.start(witness)
        acknowledged: dict[str, tuple[str, float]] = {}
        threads = [threading.Thread(target=write, args=(writer, self.port, number, acknowledged))
                   for writer in range(WRITERS)]
        for thread in threads:
            thread.start()
        is_long = self.policy == "everysec" and self.chance.random() < 0.5
        time.sleep(self.chance.uniform(2.3, 3.3) if is_long else self.chance.uniform(0.02, 0.3))
        if self.chance.random() < 0.4:
            Client(self.port).call("BGREWRITEAOF")
            self.rewrites += 1
            time.sleep(self.chance.uniform(0, 0.06))
        server.kill()
        killed = time.monotonic()
        for thread in threads:
            thread.join()
        if witness:
            self.cuts += 1
            self.bytes_forgotten += witness.cut(self.chance)
        elif self.chance.random() < 0.5:
            self.torn += 1
            with open(last_increment(self.folder), "ab") as file:
                file.write(self.chance.choice([TORN, OPEN, TORN[: self.chance.randrange(1, len(TORN))]]))
        self.look(acknowledged, killed)

    def start(self, witness: Witness | None = None) -> Server:
        options = ("--appendonly", "yes", "--appendfsync", self.policy)
        return Server(self.binary, self.folder, self.port, *options, witness=witness).wait()

    def look(self, acknowledged: dict[str, tuple[str, float]], killed: float) -> None:
        """Starts the server again and compares."""
        try:
            server = self.start()
        except StartRefused as refusal:
            self.refused += 1
            print(f"the server does not start, the folder is left at {self.folder}: {refusal}")
            raise SystemExit(1) from refusal
        self.leftovers += len(list(Path(self.folder).rglob("temp-*")))
        client = Client(self.port)
        self.total += len(acknowledged)
        kept = {}
        for key, (value, when) in acknowledged.items():
            if client.call("GET", key) == value:
                kept[key] = (value, when)
            elif self.policy == "always" or killed - when > 2:
                self.lost += 1
            else:
                self.young += 1
        for key in self.chance.sample(sorted(self.known), min(50, len(self.known))):
            if client.call("GET", key) != self.known[key][0]:
                self.lost += 1
        self.known.update(kept)
        if client.call("EXISTS", "torn"):
            self.lost += 1
        # Ended in order, so that the next round begins with everything on the device.
        server.end()


def kill_rounds(policy: str, count: int, chance: random.Random) -> bool:
    """True when nothing was lost that must not be."""
    rounds = Rounds(policy, chance)
    for number in range(count):
        rounds.run(number)
    print(
        f"{policy}: {count} rounds, {rounds.rewrites} inside a rewrite, {rounds.torn} with a torn end, {rounds.cuts} with"
        f" a power cut that forgot {rounds.bytes_forgotten} bytes; {rounds.total} writes acknowledged, {rounds.lost}"
        f" lost, {rounds.young} younger than two seconds gone; {rounds.refused} starts refused; temporary files after"
        f" the starts: {rounds.leftovers}")
    shutil.rmtree(rounds.folder)
    os.remove(rounds.folder + ".log")
    return rounds.lost == 0 and rounds.leftovers == 0


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
    server = Server(binary, folder, port, "--appendonly", "yes", "--appendfsync", policy).wait()
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
    server = Server(binary, folder, port, "--appendonly", "yes", "--appendfsync", policy).wait()
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
        server = Server(binary, folder, port, "--appendonly", "yes").wait()
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
