"""Damages RDB files, append only files and DUMP payloads of every type, by a seed, and looks at what Fog does.

Usage: persistence_fuzz.py [--seed N] [--payloads N] [--files N] [--corpus FOLDER]
 payloads  mutated payloads of every type and form (from Fog, Redis 7.0, Valkey 9.1 and value_forms.py) given to RESTORE;
           what is accepted is read, changed, dumped and removed by commands of its type
 files     mutated RDB and append only files given to `--check-rdb`, `--check-aof --fix` and to a starting server, under
           a limit of memory; a server that starts is asked for everything it has
The server must not crash, must answer within a second, and must not grow beyond a bound by what it was given.
--corpus writes the seeds in the form of Tests/Fuzz/ValuesCorpus and ends.
The seed and the number of the input that failed are printed, and the input is kept.
"""
from __future__ import annotations

import argparse
import hashlib
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import rdb_exchange
import value_forms
from resp import Connection, Reply
from servers import Binary, Server, StartFailed, fog_binary, redis_binary, valkey_binary

SLOW_SECONDS = 1.0
MEMORY_BYTES_MAX = 1 << 30
GROWTH_BYTES_MAX = 256 << 20
CHECK_SECONDS = 20
BATCH = 64
INTERESTING = (0, 1, 0x3F, 0x40, 0x7F, 0x80, 0x81, 0xC0, 0xC3, 0xF0, 0xF1, 0xF4, 0xFE, 0xFF)
HUGE = (b"\x81" + b"\xff" * 8, b"\x80\xff\xff\xff\xff", b"\x81\x7f" + b"\xff" * 7, b"\x80\x7f\xff\xff\xff", b"\x7f\xff")
# By type: what is done with a value that was accepted.
USES: dict[str, tuple[tuple[str, ...], ...]] = {
    "string": (("GET", "K"), ("APPEND", "K", "x"), ("INCR", "K"), ("GETRANGE", "K", "0", "100"), ("BITCOUNT", "K"),
               ("PFCOUNT", "K"), ("PFADD", "K", "x")),
    "list": (("LRANGE", "K", "0", "-1"), ("LINDEX", "K", "-1"), ("LPUSH", "K", "x"), ("RPUSH", "K", "y" * 100),
             ("LINSERT", "K", "BEFORE", "x", "z"), ("LREM", "K", "0", "x"), ("LSET", "K", "0", "s"), ("RPOP", "K"),
             ("LPOS", "K", "y"), ("LTRIM", "K", "1", "-2")),
    "set": (("SMEMBERS", "K"), ("SISMEMBER", "K", "x"), ("SADD", "K", "x", "1", "y" * 100), ("SRANDMEMBER", "K", "-5"),
            ("SREM", "K", "1"), ("SSCAN", "K", "0"), ("SPOP", "K", "2"), ("SINTER", "K", "K")),
    "zset": (("ZRANGE", "K", "0", "-1", "WITHSCORES"), ("ZRANK", "K", "x"), ("ZADD", "K", "1.5", "x", "-2", "y"),
             ("ZINCRBY", "K", "2", "x"), ("ZRANGEBYSCORE", "K", "-inf", "+inf"), ("ZPOPMIN", "K"), ("ZSCAN", "K", "0"),
             ("ZREMRANGEBYRANK", "K", "0", "0"), ("ZCOUNT", "K", "0", "10")),
    "hash": (("HGETALL", "K"), ("HSET", "K", "x", "y" * 100), ("HINCRBY", "K", "n", "1"), ("HDEL", "K", "a"),
             ("HSCAN", "K", "0"), ("HRANDFIELD", "K", "-3", "WITHVALUES"), ("HPTTL", "K", "FIELDS", "1", "f"),
             ("HPEXPIRE", "K", "10000", "FIELDS", "1", "f")),
    "stream": (("XRANGE", "K", "-", "+"), ("XREVRANGE", "K", "+", "-", "COUNT", "5"), ("XLEN", "K"),
               ("XINFO", "STREAM", "K", "FULL"), ("XADD", "K", "*", "a", "b"), ("XPENDING", "K", "group"),
               ("XREADGROUP", "GROUP", "group", "me", "COUNT", "3", "STREAMS", "K", ">"),
               ("XAUTOCLAIM", "K", "group", "me", "0", "0"), ("XACK", "K", "group", "1000-1"),
               ("XTRIM", "K", "MAXLEN", "1"), ("XGROUP", "DESTROY", "K", "group"), ("XDEL", "K", "1000-1")),
}


def stock_payloads(binary: Binary) -> dict[str, bytes]:
    """Payloads of a dataset of every type and encoding, without their footers."""
    found = {}
    with Server(binary) as server:
        connection = server.connect()
        rdb_exchange.fill(connection, random.Random(7), binary.name != "redis")
        for key in connection.command("KEYS", "*").items():
            reply = connection.command("DUMP", key.text())
            if 0 < len(reply.text()) < 100_000:
                name = f"{binary.name} {key.text()[:30].decode('latin-1')}"
                found[name] = reply.text()[:-10]
    return found


def seeds(small: bool = False) -> dict[str, tuple[bytes, bool]]:
    """Type and value of each seed, and whether it is in Valkey's dialect."""
    found = {form.name: (bytes([form.type]) + form.data, form.is_valkey_dialect) for form in value_forms.forms()}
    for binary in (redis_binary(), valkey_binary(), fog_binary()):
        for name, payload in stock_payloads(binary).items():
            if not small or len(payload) < 1500:
                found[name] = (payload, binary.name == "valkey")
    return found


def mutate(rng: random.Random, data: bytes) -> bytes:
    """A few damages, of the kinds that readers get wrong."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        if not out:
            break
        place = rng.randrange(len(out))
        kind = rng.randrange(9)
        if kind == 0:
            out[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            out[place] = rng.choice(INTERESTING)
        elif kind == 2:
            out[place] = rng.randrange(256)
        elif kind == 3:
            del out[place:place + rng.randrange(1, 16)]
        elif kind == 4:
            out[place:place] = out[place:place + rng.randrange(1, 64)]
        elif kind == 5:
            out[place:place] = rng.choice(HUGE)
        elif kind == 6:
            out[place:place + rng.randrange(1, 9)] = rng.choice(HUGE)
        elif kind == 7:
            del out[place:]
        else:
            out[place:place + 4] = rng.choice((b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\xff\xff\xff\x7f"))
    return bytes(out)


class Failed(Exception):
    """What must not happen has happened."""


def keep(data: bytes, suffix: str) -> str:
    path = Path(tempfile.gettempdir()) / f"fog-fuzz-{hashlib.sha1(data).hexdigest()[:12]}{suffix}"
    path.write_bytes(data)
    return str(path)


# --- payloads


def send(server: Server, connection: Connection, commands: list[tuple[bytes | str, ...]]) -> list[Reply]:
    started = time.monotonic()
    replies = connection.pipeline(commands)
    if any(reply.kind in ("closed", "timeout") for reply in replies):
        time.sleep(0.3)
        state = "hangs" if server.is_alive() else f"died ({server.exit_code()})"
        raise Failed(f"the server {state}: {server.log_tail(3000)}")
    if time.monotonic() - started > SLOW_SECONDS:
        raise Failed(f"{len(commands)} commands took {time.monotonic() - started:.1f} s")
    return replies


def used_memory(connection: Connection) -> int:
    text = connection.command("INFO", "memory").text().decode()
    return int(text.split("used_memory:")[1].split("\r")[0])


def fuzz_payloads(rng: random.Random, count: int, chosen: dict[str, tuple[bytes, bool]]) -> None:
    accepted = refused = 0
    names = sorted(chosen)
    with Server(fog_binary(), name="fog") as server:
        connection = server.connect()
        connection.command("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", "1")
        before = used_memory(connection)
        for number in range(0, count, BATCH):
            batch = []
            for _ in range(BATCH):
                data, is_valkey = chosen[rng.choice(names)]
                batch.append(mutate(rng, data) + (b"\x50\x00" if is_valkey else b"\x0c\x00") + bytes(8))
            try:
                commands = [("RESTORE", f"k{index}", "0", payload) for index, payload in enumerate(batch)]
                replies = send(server, connection, commands)
                good = [index for index, reply in enumerate(replies) if not reply.is_error()]
                accepted += len(good)
                refused += len(batch) - len(good)
                use(server, connection, good)
                send(server, connection, [("FLUSHALL",)])
            except Failed as failure:
                path = keep(b"".join(len(item).to_bytes(4, "big") + item for item in batch), ".payloads")
                raise Failed(f"payloads {number} to {number + BATCH}, kept in {path}: {failure}") from failure
            if number % (BATCH * 50) == 0 and used_memory(connection) - before > GROWTH_BYTES_MAX:
                raise Failed(f"the server holds {used_memory(connection) >> 20} MB after {number} payloads")
    print(f"payloads: {accepted + refused} given to RESTORE, {accepted} accepted and used, {refused} refused")


def use(server: Server, connection: Connection, indices: list[int]) -> None:
    """Runs what can be done with each value, then writes them all out."""
    if not indices:
        return
    types = send(server, connection, [("TYPE", f"k{index}") for index in indices])
    commands: list[tuple[bytes | str, ...]] = []
    for index, kind in zip(indices, types):
        name = f"k{index}"
        commands += [("OBJECT", "ENCODING", name), ("DEBUG", "DIGEST-VALUE", name), ("DUMP", name),
                     ("MEMORY", "USAGE", name), ("COPY", name, "copy", "REPLACE")]
        uses = USES.get(kind.text().decode(), ())
        commands += [tuple(name if word == "K" else word for word in words) for words in uses]
        commands.append(("DUMP", name))
    send(server, connection, commands)
    send(server, connection, [("DEBUG", "RELOAD")])
    send(server, connection, [("UNLINK" if index % 2 else "DEL", f"k{index}") for index in indices])


# --- files


def limited() -> None:
    """In the child: so much memory and no more."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX * 8, MEMORY_BYTES_MAX * 8))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def check(arguments: list[str], answer: bytes = b"y\n") -> None:
    """A check tool: must say yes or no in time."""
    try:
        outcome = subprocess.run([str(fog_binary().path), *arguments], capture_output=True, input=answer,
                                 timeout=CHECK_SECONDS, preexec_fn=limited)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{arguments[0]} hangs") from error
    if outcome.returncode not in (0, 1):
        text = outcome.stdout[-500:] + outcome.stderr[-2000:]
        raise Failed(f"{arguments[0]} ended with {outcome.returncode}: {text!r}")


class FileServer(Server):
    """A server that starts on files laid out before."""

    files: dict[str, bytes] = {}

    def launch(self) -> None:
        for name, data in self.files.items():
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        super().launch()


def start_on(files: dict[str, bytes], *options: str) -> bool:
    """True when the server started; it is asked for everything then. A refusal must be an orderly end."""
    kind = type("FileServerOf", (FileServer,), {"files": files})
    try:
        server = kind(fog_binary(), *options, "--rdbchecksum", "no", name="fog")
    except StartFailed as failure:
        if "ended with 1 " not in str(failure):
            raise Failed(f"a start went wrong: {failure}") from failure
        return False
    try:
        connection = server.connect()
        for database in range(16):
            send(server, connection, [("SELECT", str(database))])
            keys = [reply.text() for reply in send(server, connection, [("KEYS", "*")])[0].items()]
            for begin in range(0, len(keys), BATCH):
                send(server, connection, [("DUMP", key) for key in keys[begin:begin + BATCH]])
        send(server, connection, [("DEBUG", "DIGEST")])
        send(server, connection, [("SAVE",)])
        send(server, connection, [("FLUSHALL",)])
        resident = int(Path(f"/proc/{server.pid}/statm").read_text().split()[1]) * 4096
        if resident > MEMORY_BYTES_MAX:
            raise Failed(f"the server holds {resident >> 20} MB")
        return True
    finally:
        server.stop()


def file_seeds() -> dict[str, dict[str, bytes]]:
    """Folders as servers leave them: an RDB file, or an append only directory."""
    found = {}
    for binary in (fog_binary(), redis_binary(), valkey_binary()):
        with Server(binary, "--appendonly", "yes", "--aof-timestamp-enabled", "yes",
                    *(("--fog-aof-checksums", "yes") if binary.name == "fog" else ())) as server:
            connection = server.connect()
            rdb_exchange.fill(connection, random.Random(3), binary.name != "redis")
            for words in (("MULTI",), ("SET", "a", "1"), ("RPUSH", "b", "2"), ("EXEC",)):
                connection.command(*words)
            connection.command("SAVE")
            time.sleep(1.1)
            found[f"{binary.name} rdb"] = {"dump.rdb": (server.folder / "dump.rdb").read_bytes()}
            connection.command("BGREWRITEAOF")
            time.sleep(1.0)
            connection.command("SET", "behind", "1")
            connection.command("RPUSH", "list behind", *("x" * 20 for _ in range(50)))
            time.sleep(1.2)
            found[f"{binary.name} aof"] = {
                str(path.relative_to(server.folder)): path.read_bytes()
                for path in server.folder.joinpath("appendonlydir").iterdir()}
    found["forms rdb"] = {"dump.rdb": value_forms.file(
        [form for form in value_forms.forms() if not form.is_valkey_dialect], b"REDIS0012")}
    return found


def fuzz_files(rng: random.Random, count: int) -> None:
    folders = file_seeds()
    started = 0
    for number in range(count):
        name = rng.choice(sorted(folders))
        files = dict(folders[name])
        victim = rng.choice(sorted(files))
        files[victim] = mutate(rng, files[victim])
        try:
            check_files(files)
            if number % 4 == 0:
                is_aof = "dump.rdb" not in files
                tail = rng.choice(("0", "1000000"))
                started += start_on(files, *(("--appendonly", "yes", "--aof-load-corrupt-tail-max-size", tail)
                                             if is_aof else ()))
        except Failed as failure:
            path = keep(files[victim], "." + victim.replace("/", "-"))
            raise Failed(f"file {number} ({name}, {victim}), kept in {path}: {failure}") from failure
    print(f"files: {count} checked, {(count + 3) // 4} starts on them, {started} of which served")


def check_files(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory(prefix="fog-fuzz-") as folder:
        for name, data in files.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        for name in files:
            path = str(Path(folder, name))
            if name == "dump.rdb":
                check(["--check-rdb", path])
                check(["--check-rdb", "--fix", path])
            elif name.endswith(".manifest"):
                check(["--check-aof", "--fix", path])


def write_corpus(folder: Path) -> None:
    """Small seeds, one a file: a byte that says what it is, and the value."""
    folder.mkdir(exist_ok=True)
    for name, (data, is_valkey) in seeds(small=True).items():
        slug = "".join(letter if letter.isalnum() else "-" for letter in name.lower())
        if name.split()[0] not in ("redis", "valkey", "fog") or any(
                word in name for word in ("zset:1", "hash:1", "set:1", "list:1", "stream:1", "expiring", "string:3")):
            (folder / f"{slug}.bin").write_bytes(bytes([1 if is_valkey else 0]) + data)
    whole = value_forms.file([form for form in value_forms.forms() if not form.is_valkey_dialect], b"REDIS0012")
    (folder / "file-forms.bin").write_bytes(b"\xf2" + whole)
    (folder / "file-forms-piecewise.bin").write_bytes(b"\x26" + whole)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--payloads", type=int, default=20_000)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--corpus", type=Path)
    options = parser.parse_args()
    if options.corpus:
        write_corpus(options.corpus)
        return 0
    print(f"seed {options.seed}")
    rng = random.Random(options.seed)
    try:
        if options.payloads:
            fuzz_payloads(rng, options.payloads, seeds())
        if options.files:
            fuzz_files(rng, options.files)
    except Failed as failure:
        print(f"FAILED: {failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
