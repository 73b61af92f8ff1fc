"""The tier on disk under bad treatment, against a plain dictionary that knows what every key's value is:

    kill     kill -9 while values go to disk and come back, many rounds, `tier-persist yes`: what a start finds again
             is what was written last, or nothing; never an older value, never a wrong one
    rush     values are written faster than the disk may take them: commands wait a moment and no key is lost, readers
             do not wait; where the disk may take next to nothing, writes go on in bounded time and keys go
    clean    orderly ends, `tier-persist no`: everything that was on disk is back, with its time to live
    full     a disk of 64 MB that fills up: writes go on, nothing on disk is lost, and it takes values again later
    corrupt  bits of segment files flip: misses and a counter, never a wrong value
    churn    mixed sizes, times to live, deletes, renames, flushes and restarts; in the end all counters add up

Both ways of reading are used (io_uring, threads), one a round. Ends with a line of counts; status 1 if anything was
wrong. `full` needs the right to mount and is skipped without it.
"""
from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import crash_support
from servers import fog_binary

MAXMEMORY = 16 << 20
READERS = ("io_uring", "threads")


class Wrong(Exception):
    """The server said what cannot be."""


def make_value(key: str, version: int, size: int) -> str:
    """Text of which compressing leaves a third, and that tells which version of which key it is."""
    unit = f'{{"key":"{key}","version":{version},"state":"active","country":"FR","tags":["amber","indigo"]}},'
    noise = hashlib.shake_128(f"{key}/{version}".encode()).hexdigest(size // 4)
    return (f'{{"version":{version},"key":"{key}","digest":"{noise}"}},' + unit * (size // len(unit) + 1))[:size]


class Fog:
    """A server in a folder of its own, with a small memory and a tier on disk."""

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        self.folder, self.port, self.options = folder, port, options
        self.process: subprocess.Popen | None = None
        self.client: crash_support.Client | None = None
        self.start_milliseconds = 0.0

    def start(self) -> crash_support.Client:
        begin = time.monotonic()
        log = open(self.folder / "log", "a")
        self.process = subprocess.Popen(
            [str(fog_binary().path), "--port", str(self.port), "--save", "", "--dir", str(self.folder), "--maxmemory",
             str(MAXMEMORY), "--maxmemory-policy", "allkeys-lru", "--fog-compress", "yes", "--fog-l3-enabled", "yes",
             "--enable-debug-command", "yes", *self.options], stdout=log, stderr=log)
        while time.monotonic() - begin < crash_support.START_SECONDS:
            try:
                client = crash_support.Client(self.port)
                if client.call("PING") == "+PONG":
                    self.client = client
                    self.start_milliseconds = (time.monotonic() - begin) * 1000
                    return client
            except (OSError, crash_support.Gone):
                pass
            if self.process.poll() is not None:
                raise Wrong(f"the server ended with {self.process.returncode}: see {self.folder}/log")
            time.sleep(0.01)
        raise Wrong("the server did not start")

    def kill(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(60) != 0:
            raise Wrong(f"the end had status {self.process.returncode}")

    def figures(self) -> dict[str, str]:
        assert self.client
        text = str(self.client.call("INFO", "tiering"))
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def number(self, name: str) -> int:
        return int(self.figures()[name])

    def __enter__(self) -> "Fog":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def pipeline(client: crash_support.Client, commands: list[list[object]]) -> list[object]:
    """All at once; replies in order."""
    out = b""
    for command in commands:
        words = [w if isinstance(w, bytes) else str(w).encode() for w in command]
        out += b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)
    try:
        client.socket.sendall(out)
        return [client.reply() for _ in commands]
    except OSError as error:
        raise crash_support.Gone from error


def fill(client: crash_support.Client, model: dict[str, str], keys: int, source: random.Random, version: int) -> None:
    names = [f"doc:{number}" for number in range(keys)]
    for first in range(0, keys, 64):
        commands = []
        for name in names[first:first + 64]:
            model[name] = make_value(name, version, source.choice((100, 400, 600, 1500)))
            commands.append(["SET", name, model[name]])
        for reply in pipeline(client, commands):
            if reply != "+OK":
                raise Wrong(f"SET answered {reply}")


def compare(client: crash_support.Client, model: dict[str, str], may_miss: bool) -> tuple[int, int]:
    """Reads every key; counts of what was found and what was not."""
    found = missed = 0
    names = list(model)
    for first in range(0, len(names), 64):
        part = names[first:first + 64]
        for name, reply in zip(part, pipeline(client, [["GET", name] for name in part])):
            if reply is None:
                missed += 1
            elif reply != model[name]:
                raise Wrong(f"{name}: wanted {model[name][:60]}, found {str(reply)[:60]}")
            else:
                found += 1
    if missed and not may_miss:
        raise Wrong(f"{missed} of {len(names)} keys were not found")
    return found, missed


# MARK: the checks


def kill_rounds(folder: Path, port: int, rounds: int, seed: int) -> str:
    """Two values are possible for a key whose write was not answered before the end."""
    source = random.Random(seed)
    found = lost = 0
    slowest = 0.0
    # What was acknowledged last, and what may have come after it.
    certain: dict[str, str | None] = {}
    possible: dict[str, str | None] = {}
    for number in range(rounds):
        with Fog(folder, port, "--tier-persist", "yes", "--fog-l3-reader", READERS[number % 2]) as fog:
            client = fog.start()
            slowest = max(slowest, fog.start_milliseconds)
            names = list(certain)
            for first in range(0, len(names), 64):
                part = names[first:first + 64]
                for name, reply in zip(part, pipeline(client, [["GET", name] for name in part])):
                    wanted = [certain[name]] + ([possible[name]] if name in possible else [])
                    if reply is None:
                        lost += 1
                    elif reply not in wanted:
                        raise Wrong(f"round {number}: {name} came back as {str(reply)[:70]}, not {str(wanted)[:160]}")
                    else:
                        found += 1
                    certain[name] = reply  # type: ignore[assignment]
            if fog.number("tier_disk_checksum_errors") or fog.number("tier_disk_unreadable"):
                raise Wrong(f"round {number}: {fog.figures()}")
            possible = {}
            deadline = time.monotonic() + source.uniform(0.3, 2.0)
            version = number * 1_000_000
            try:
                while time.monotonic() < deadline:
                    commands = []
                    for _ in range(32):
                        version += 1
                        name = f"doc:{source.randrange(40_000)}"
                        kind = source.random()
                        if kind < 0.70:
                            value = make_value(name, version, source.choice((100, 400, 600, 1500)))
                            commands.append((name, value, ["SET", name, value]))
                        elif kind < 0.80:
                            commands.append((name, None, ["DEL", name]))
                        elif kind < 0.85:
                            commands.append((name, certain.get(name), ["EXPIRE", name, 5000]))
                        else:
                            commands.append((name, certain.get(name), ["GET", name]))
                    # Within one pipeline later commands see earlier ones' values.
                    seen: dict[str, str | None] = {}
                    for index, (name, value, words) in enumerate(commands):
                        if words[0] in ("GET", "EXPIRE"):
                            commands[index] = (name, seen.get(name, certain.get(name)), words)
                        else:
                            seen[name] = value
                    for name, value, words in commands:
                        possible[name] = value if words[0] in ("SET", "DEL") else possible.get(name, value)
                    replies = pipeline(client, [words for _, _, words in commands])
                    for (name, value, words), reply in zip(commands, replies):
                        if words[0] in ("SET", "DEL"):
                            certain[name] = value
                            possible.pop(name, None)
                        elif words[0] == "GET" and reply is not None and reply != value and name in certain:
                            raise Wrong(f"round {number}: GET {name} gave {str(reply)[:70]}")
            finally:
                fog.kill()
    return f"{rounds} kills: {found} values came back right, {lost} did not come back, slowest start {slowest:.0f} ms"


def rush(folder: Path, port: int, seed: int) -> str:
    source = random.Random(seed)
    model: dict[str, str] = {}
    with Fog(folder, port, "--fog-compress", "no", "--fog-l3-write-rate", "12mb") as fog:
        client = fog.start()
        reader = crash_support.Client(port)
        reader.call("SET", "probe", "x")
        slowest = longest = 0.0
        begin = time.monotonic()
        for number in range(0, 60_000, 16):
            part = {}
            for name in (f"doc:{number + step}" for step in range(16)):
                # Digits that shrink to a half at most.
                part[name] = f"{name}:{source.randbytes(source.choice((200, 300, 700))).hex()}"
            start = time.monotonic()
            if any(reply != "+OK" for reply in pipeline(client, [["SET", *item] for item in part.items()])):
                raise Wrong("a write was refused")
            longest = max(longest, time.monotonic() - start)
            model |= part
            if number % 320 == 0:
                start = time.monotonic()
                reader.call("EXISTS", "probe")
                slowest = max(slowest, time.monotonic() - start)
        seconds = time.monotonic() - begin
        figures = fog.figures()
        if not int(figures["tier_disk_commands_held_up"]):
            raise Wrong(f"nobody had to wait: {figures}")
        if int(figures["tier_disk_commands_overdue"]):
            raise Wrong(f"commands waited in vain: {figures}")
        compare(client, model, may_miss=False)
        # Next to no rate: nobody waits for ever.
        client.call("CONFIG", "SET", "fog-l3-write-rate", "1000")
        worst = 0.0
        for number in range(40):
            start = time.monotonic()
            reply = client.call("SET", f"more:{number}", source.randbytes(100_000).hex())
            worst = max(worst, time.monotonic() - start)
            if reply != "+OK":
                raise Wrong(f"SET answered {reply}")
        if worst > 1.0 or not fog.number("tier_disk_commands_overdue"):
            raise Wrong(f"a write took {worst:.2f} s: {fog.figures()}")
        fog.stop()
    waited = figures["tier_disk_commands_held_up"]
    return (f"rush: {len(model)} values in {seconds:.1f} s, {waited} commands waited, the longest 16 for "
            f"{longest * 1000:.0f} ms, none lost; a reader meanwhile at most {slowest * 1000:.1f} ms; "
            f"without a rate a write takes at most {worst * 1000:.0f} ms")


def clean_rounds(folder: Path, port: int, rounds: int, seed: int) -> str:
    source = random.Random(seed)
    total = 0
    for number in range(rounds):
        model: dict[str, str] = {}
        with Fog(folder, port, "--fog-l3-reader", READERS[number % 2]) as fog:
            client = fog.start()
            client.call("FLUSHALL")
            fill(client, model, 40_000, source, number)
            compare(client, model, may_miss=fog.number("tier_disk_commands_overdue") > 0)
            client.call("EXPIRE", "doc:7", 4000)
            client.call("FOG.TIER", "DEMOTE", "doc:7", "L3")
            cold = fog.number("tier_cold_keys")
            fog.stop()
            client = fog.start()
            size = client.call("DBSIZE")
            if size != cold:
                raise Wrong(f"{cold} values were on disk, {size} came back")
            found, _ = compare(client, model, may_miss=True)
            if found < cold:
                raise Wrong(f"{found} of {cold} values could be read")
            left = client.call("TTL", "doc:7")
            if not isinstance(left, int) or not 3000 < left <= 4000:
                raise Wrong(f"TTL {left} after a restart")
            total += found
            fog.stop()
    return f"{rounds} orderly ends: {total} values came back"


def full_disk(folder: Path, port: int, seed: int) -> str:
    source = random.Random(seed)
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        return "skipped: no right to mount"
    try:
        with Fog(folder, port, "--fog-l3-path", str(disk / "cold"), "--fog-compress", "no") as fog:
            client = fog.start()
            ballast = disk / "ballast"
            ballast.write_bytes(bytes(40 << 20))
            model: dict[str, str] = {}
            fill(client, model, 120_000, source, 1)
            figures = fog.figures()
            if figures["tier_disk"] != "failing" and not int(figures["tier_disk_refused_for_failure"]):
                raise Wrong(f"a full disk was not noticed: {figures}")
            found, missed = compare(client, model, may_miss=True)
            ballast.unlink()
            deadline = time.monotonic() + 30
            while fog.figures()["tier_disk"] == "failing":
                if time.monotonic() > deadline:
                    raise Wrong("there is room again and the tier takes nothing")
                client.call("SET", f"probe:{source.random()}", make_value("probe", 1, 600))
                time.sleep(0.05)
            before = fog.number("tier_to_cold")
            fill(client, model, 30_000, source, 2)
            compare(client, model, may_miss=True)
            if fog.number("tier_to_cold") <= before or fog.number("tier_disk_checksum_errors"):
                raise Wrong(f"after the disk had room again: {fog.figures()}")
            fog.stop()
        return f"full disk: writes went on, {found} values served, {missed} evicted; values go to disk again"
    finally:
        subprocess.run(["umount", str(disk)], check=False)


def corruption(folder: Path, port: int, seed: int) -> str:
    source = random.Random(seed)
    model: dict[str, str] = {}
    with Fog(folder, port) as fog:
        client = fog.start()
        fill(client, model, 40_000, source, 1)
        time.sleep(0.5)
        flipped = 0
        for path in sorted((folder / "cold").glob("*.segment")):
            size = path.stat().st_size
            with open(path, "r+b") as file:
                for _ in range(20):
                    place = source.randrange(64, max(65, size))
                    file.seek(place)
                    byte = file.read(1)
                    if byte:
                        file.seek(place)
                        file.write(bytes([byte[0] ^ (1 << source.randrange(8))]))
                        flipped += 1
        found, missed = compare(client, model, may_miss=True)
        errors = fog.number("tier_disk_checksum_errors")
        fog.stop()
    if missed and not errors:
        raise Wrong(f"{missed} values are missing and no error was counted")
    return f"{flipped} bits flipped: {found} right, {missed} missing, 0 wrong, {errors} checksum errors"


def churn(folder: Path, port: int, seconds: float, seed: int) -> str:
    source = random.Random(seed)
    model: dict[str, str] = {}
    version = restarts = gone = 0
    end = time.monotonic() + seconds
    options = ("--fog-l3-max-bytes", "64mb")
    with Fog(folder, port, *options) as fog:
        client = fog.start()
        while time.monotonic() < end:
            commands: list[list[object]] = []
            for _ in range(64):
                version += 1
                name = f"doc:{int(source.paretovariate(0.6)) % 200_000}"
                kind = source.random()
                if kind < 0.45:
                    commands.append(["GET", name])
                elif kind < 0.85:
                    value = make_value(name, version, source.choice((50, 100, 400, 600, 1500, 9000, 40_000)))
                    extra: list[object] = ["PX", source.randrange(200, 90_000)] if source.random() < 0.3 else []
                    commands.append(["SET", name, value, *extra])
                elif kind < 0.92:
                    commands.append(["DEL", name])
                elif kind < 0.95:
                    commands.append(["APPEND", name, "+"])
                elif kind < 0.97:
                    commands.append(["RENAME", name, f"doc:{source.randrange(200_000)}"])
                else:
                    commands.append(["PEXPIRE", name, source.randrange(100, 60_000)])
            for words, reply in zip(commands, pipeline(client, commands)):
                gone += apply(model, words, reply)
            if source.random() < 0.0005:
                fog.stop()
                client = fog.start()
                restarts += 1
        used = [line for line in str(client.call("INFO", "memory")).splitlines() if line.startswith("used_memory:")]
        keys = client.call("DBSIZE")
        figures = fog.figures()
        parts = [int(figures[f"tier_{tier}_keys"]) for tier in ("raw", "warm", "dense", "cold")]
        if sum(parts) != keys:
            raise Wrong(f"{keys} keys, by tiers {parts}")
        if int(figures["tier_disk_unreadable"]) or int(figures["tier_corrupt"]):
            raise Wrong(f"values could not be read: {figures}")
        if int(used[0].split(":")[1]) > MAXMEMORY:
            raise Wrong(f"{used[0]} of {MAXMEMORY}")
        client.call("FLUSHALL")
        time.sleep(0.5)
        if fog.number("tier_disk_live_bytes") or fog.number("tier_cold_keys"):
            raise Wrong(f"after FLUSHALL: {fog.figures()}")
        fog.stop()
    return (f"churn of {seconds:.0f} s: {version} commands, {restarts} restarts, {gone} keys evicted or expired, tiers "
            f"{'/'.join(map(str, parts))} add up, reclaimed {figures['tier_disk_segments_reclaimed']} segments")


def apply(model: dict[str, str], words: list[object], reply: object) -> int:
    """What a command did to the model, by its reply; 1 for a key that went by itself."""
    name = str(words[1])
    known = model.get(name)
    if words[0] == "SET":
        model[name] = str(words[2])
    elif words[0] == "DEL":
        model.pop(name, None)
    elif words[0] == "GET":
        if reply is None:
            return 1 if model.pop(name, None) is not None else 0
        if known is None or reply != known:
            raise Wrong(f"GET {name} gave {str(reply)[:60]}, wanted {str(known)[:60]}")
    elif words[0] == "APPEND":
        fresh = reply == 1
        if not fresh and (known is None or reply != len(known) + 1):
            raise Wrong(f"APPEND {name} gave {reply}, the value had {len(known or '')}")
        model[name] = "+" if fresh else (known or "") + "+"
        return 1 if fresh and known is not None else 0
    elif words[0] == "RENAME":
        if isinstance(reply, str) and reply.startswith("-"):
            return 1 if model.pop(name, None) is not None else 0
        if known is None:
            raise Wrong(f"RENAME {name} found a key that is not there")
        del model[name]
        model[str(words[2])] = known
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checks", nargs="*", default=["kill", "rush", "clean", "full", "corrupt", "churn"])
    parser.add_argument("--port", type=int, default=7611)
    parser.add_argument("--rounds", type=int, default=12, help="of kill; a third of it of clean")
    parser.add_argument("--seconds", type=float, default=60, help="of churn")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    failures = 0
    for check in options.checks:
        folder = Path(tempfile.mkdtemp(prefix=f"fog-cold-{check}-"))
        try:
            if check == "kill":
                print(kill_rounds(folder, options.port, options.rounds, options.seed), flush=True)
            elif check == "rush":
                print(rush(folder, options.port, options.seed), flush=True)
            elif check == "clean":
                print(clean_rounds(folder, options.port, max(2, options.rounds // 3), options.seed), flush=True)
            elif check == "full":
                print(full_disk(folder, options.port, options.seed), flush=True)
            elif check == "corrupt":
                print(corruption(folder, options.port, options.seed), flush=True)
            elif check == "churn":
                print(churn(folder, options.port, options.seconds, options.seed), flush=True)
            shutil.rmtree(folder, ignore_errors=True)
        except (Wrong, crash_support.Gone) as error:
            failures += 1
            print(f"{check}: FAILED: {error!r}; files in {folder}", flush=True)
    passed = len(options.checks) - failures
    print(f"{passed} passed, {failures} failed", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
