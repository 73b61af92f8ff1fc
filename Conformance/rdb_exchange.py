"""Exchanges RDB files between Fog, Redis 7.0 and Valkey 9.1, both ways, for every type and encoding.

Usage: rdb_exchange.py [--seed N] [--rounds N]
Each server fills a dataset of all types, saves it, and the others start from the file: DEBUG DIGEST must be equal on
both sides, and `redis-check-rdb` must agree with what Fog writes. Fields that expire go between Fog and Valkey only.
Then files made by hand with every form that values have had since Redis 2.4 (value_forms.py) are loaded by Fog and by
the stock servers that know the form; digests of the values must be equal, and what later forms say must be there.
The last line counts what was exchanged; the exit status is 1 when anything differs.
"""
from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
from pathlib import Path

import value_forms
from resp import Connection
from servers import Binary, Server, StartFailed, fog_binary, redis_binary, valkey_binary


def text(rng: random.Random, length: int) -> bytes:
    """Bytes that compress (words) or do not (noise), as it comes."""
    if rng.random() < 0.5:
        return (b"some words that repeat " * (length // 23 + 1))[:length]
    return rng.randbytes(length)


def element(rng: random.Random) -> bytes:
    """One member: a number of any width, or text of any length around the encodings' bounds."""
    kind = rng.randrange(4)
    if kind == 0:
        return str(rng.choice((0, 12, 13, -1, 127, -128, 4095, 32767, 2**23, 2**31, -2**63, 2**63 - 1))).encode()
    if kind == 1:
        return str(rng.randrange(-10**rng.randrange(1, 18), 10**18)).encode()
    return text(rng, rng.choice((0, 1, 5, 20, 21, 63, 64, 65, 100, 300)))


def fill(connection: Connection, rng: random.Random, has_field_expiry: bool) -> None:
    """Keys of every type, each small (compact) and large, in two databases, some with an expiry."""
    run(connection, "FUNCTION", "LOAD", "#!lua name=exchange\nredis.register_function('answer', "
        "function() return 'forty-two' end)")
    for database in (0, 9):
        run(connection, "SELECT", database)
        for index, length in enumerate((0, 1, 20, 21, 44, 45, 63, 64, 16383, 16384, 20000, 70000, 300000)):
            run(connection, "SET", f"string:{index}", text(rng, length))
        for index in range(60):
            run(connection, "SET", element(rng) or "empty", element(rng))
        run(connection, "SET", text(rng, 300), "a long key")
        run(connection, "SET", "expiring", "value", "PXAT", 4102444800123)
        for index, count in enumerate((1, 5, 100, 700, 5000)):
            items = [element(rng) for _ in range(count)]
            run(connection, "RPUSH", f"list:{index}", *items)
            run(connection, "SADD", f"set:{index}", *items)
            run(connection, "SADD", f"intset:{index}", *(rng.randrange(-10**(index * 4 + 2), 10**(index * 4 + 2))
                                                         for _ in range(min(count, 500))))
            run(connection, "HSET", f"hash:{index}", *sum(([item, element(rng)] for item in items), []))
            # Scores that 17 digits and the shortest form spell alike: the stock servers' digests differ in the others.
            run(connection, "ZADD", f"zset:{index}", *sum(
                ([rng.choice((str(rng.randrange(-10**9, 10**9) / 8), str(rng.randrange(100)), "inf", "-inf")), item]
                 for item in items), []))
            for number in range(min(count, 300)):
                run(connection, "XADD", f"stream:{index}", f"{number + 1}-{number % 3}", "field", element(rng),
                    "number", number)
        run(connection, "RPUSH", "large elements", *(text(rng, 9000) for _ in range(20)))
        run(connection, "EXPIREAT", "hash:2", 4102444800)
        run(connection, "XGROUP", "CREATE", "stream:3", "group", "0")
        run(connection, "XGROUP", "CREATE", "stream:3", "idle group", "$")
        run(connection, "XREADGROUP", "GROUP", "group", "reader", "COUNT", 50, "STREAMS", "stream:3", ">")
        run(connection, "XREADGROUP", "GROUP", "group", "other", "COUNT", 5, "STREAMS", "stream:3", ">")
        run(connection, "XDEL", "stream:3", "7-0", "8-1", "100-0")
        run(connection, "XADD", "stream:emptied", "5-5", "a", "b")
        run(connection, "XDEL", "stream:emptied", "5-5")
        if has_field_expiry:
            run(connection, "HPEXPIREAT", "hash:1", EXPIRES_AT, "FIELDS", 1, "f")
            run(connection, "HSET", "small expiring", "f", "v", "g", "w")
            run(connection, "HPEXPIREAT", "small expiring", EXPIRES_AT, "FIELDS", 1, "f")
            for number in range(800):
                run(connection, "HSET", "large expiring", f"f{number}", number)
            run(connection, "HPEXPIREAT", "large expiring", EXPIRES_AT, "FIELDS", 2, "f1", "f700")


# Fields that `fill` lets expire, and when.
EXPIRING = (("small expiring", ("f",)), ("large expiring", ("f1", "f700")))
EXPIRES_AT = 4102444800999


def dataset_digest(connection: Connection, has_field_expiry: bool) -> bytes:
    """The digest without the fields' expiries, which Valkey leaves out and Redis counts; they are compared apart."""
    times: list[bytes] = []
    for database in (0, 9) if has_field_expiry else ():
        run(connection, "SELECT", database)
        for key, fields in EXPIRING:
            words = ("FIELDS", len(fields), *fields)
            reply = connection.command("HPEXPIRETIME", key, *words)
            times += [element.text() for element in reply.items()]
            connection.command("HPERSIST", key, *words)
    if times and set(times) != {b"%d" % EXPIRES_AT}:
        raise SystemExit(f"fields expire at {times}")
    return run(connection, "DEBUG", "DIGEST")


def compare_forms() -> int:
    """Loads every form by hand on Fog and where it is known. Returns how many differ."""
    forms = value_forms.forms()
    failures = 0
    fog = digests(fog_binary(), [form for form in forms if not form.is_valkey_dialect], b"REDIS0012")
    fog |= digests(fog_binary(), [form for form in forms if form.is_valkey_dialect], b"VALKEY080")
    stocks = [(redis_binary(), [form for form in forms if form.redis], b"REDIS0010"),
              (valkey_binary(), [form for form in forms if form.valkey and not form.is_valkey_dialect], b"REDIS0011")]
    for binary, chosen, magic in stocks:
        for name, digest in digests(binary, chosen, magic).items():
            if fog[name] != digest:
                failures += 1
                print(f"FAILED: {name}: fog loads {fog[name]}, {binary.name} {digest}")
    for left, right in (("hash triples preview", "hash triples"), ("hash times of valkey", "hash times preview")):
        if fog[left] != fog[right]:
            failures += 1
            print(f"FAILED: {left} and {right} say the same and are loaded differently")
    print(f"{len(forms)} forms by hand loaded, {failures} differ")
    return failures


def digests(binary: Binary, forms: list[value_forms.Form], magic: bytes) -> dict[str, str]:
    """What `binary` makes of a file of these forms: DEBUG DIGEST-VALUE and the times of fields, by name."""
    with Server(binary) as server:
        assert server.process is not None
        server.process.terminate()
        server.process.wait()
        (server.folder / "dump.rdb").write_bytes(value_forms.file(forms, magic))
        server.start()
        connection = server.connect()
        found = {}
        for form in forms:
            times = ""
            if "times" in form.name or "triples" in form.name:
                reply = connection.command("HPEXPIRETIME", form.name, "FIELDS", 3, "f", "g", "h")
                times = " ".join(item.text().decode() for item in reply.items())
                connection.command("HPERSIST", form.name, "FIELDS", 3, "f", "g", "h")
            digest = connection.command("DEBUG", "DIGEST-VALUE", form.name).items()[0].text().decode()
            found[form.name] = f"{digest} {times}".strip()
        return found


def run(connection: Connection, *words: bytes | str | int) -> bytes:
    reply = connection.command(*words)
    if reply.is_error():
        raise SystemExit(f"{words[0]!r} failed: {reply.text()!r}")
    return reply.text()


def exchange(source: Binary, targets: list[Binary], seed: int, has_field_expiry: bool, checker: str | None) -> int:
    """Fills `source`, saves, and starts every target from the file. Returns how many differ."""
    failures = 0
    with Server(source) as server:
        connection = server.connect()
        fill(connection, random.Random(seed), has_field_expiry)
        run(connection, "SAVE")
        digest = dataset_digest(connection, has_field_expiry)
        file = server.folder / "dump.rdb"
        if checker is not None and not has_field_expiry:
            outcome = subprocess.run([checker, str(file)], capture_output=True, text=True)
            if outcome.returncode != 0:
                failures += 1
                print(f"FAILED: redis-check-rdb refuses {source.name}'s file: {outcome.stdout[-300:]}")
        for target in targets:
            failures += not is_equal(file, source, target, digest, has_field_expiry)
    return failures


def is_equal(file: Path, source: Binary, target: Binary, digest: bytes, has_field_expiry: bool) -> bool:
    """Whether `target` loads the file to the same dataset."""
    receiver = Server(target)
    try:
        shutil.copy(file, receiver.folder / "dump.rdb")
        process = receiver.process
        assert process is not None
        process.terminate()
        process.wait()
        receiver.start()
        connection = receiver.connect()
        found = dataset_digest(connection, has_field_expiry)
        if connection.command("FCALL", "answer", 0).text() != b"forty-two":
            print(f"FAILED: {source.name} -> {target.name}: the functions did not come along")
            return False
    except StartFailed as failure:
        print(f"FAILED: {target.name} does not start from {source.name}'s file: {failure}")
        return False
    finally:
        receiver.stop()
    if found != digest:
        print(f"FAILED: {source.name} -> {target.name}: digests {digest.decode()} and {found.decode()}")
    return found == digest


def main() -> int:
    parser = argparse.ArgumentParser(description="Exchange RDB files with stock servers.")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    fog, redis, valkey = fog_binary(), redis_binary(), valkey_binary()
    checker = shutil.which("redis-check-rdb")
    failures = 0
    count = 0
    for seed in range(options.seed, options.seed + options.rounds):
        for source, targets, has_field_expiry in (
            (fog, [fog, redis, valkey], False), (redis, [fog], False), (valkey, [fog], False),
            (fog, [fog], True), (valkey, [fog], True),
        ):
            failed = exchange(source, targets, seed, has_field_expiry, checker if source is fog else None)
            failures += failed
            count += len(targets)
            names = ", ".join(target.name for target in targets)
            kind = " with expiring fields" if has_field_expiry else ""
            print(f"{'FAILED' if failed else 'ok'}: {source.name} -> {names}{kind} (seed {seed})")
    failures += compare_forms()
    print(f"{count} exchanges, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
