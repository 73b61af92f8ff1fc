"""Kills Fog inside saves, and starts it on folders that are broken in ways that happen.

 saves    a dataset with a known total is changed by transactions that keep the total; the server is killed inside
          BGSAVE or SAVE (in some rounds with a power cut, see power_cut.py) and started again: the file must be one of
          the snapshots that were taken, whole, and no temporary file may be left
 folders  a missing increment or base, a manifest that is empty, garbled, doubled or out of order, garbage behind a good
          append only file, a flipped bit in one with checksums: each is refused with words that name the file and say
          how to go on, or recovered with the bytes kept aside
Usage: rdb_crash.py [--rounds N] [--seed S]
"""
from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

from crash_support import Client, Server, StartRefused, free_port
from power_cut import Witness, is_possible
from servers import fog_binary

ACCOUNTS = 400
TOTAL = ACCOUNTS * 100
MARK = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"


def save_rounds(count: int, chance: random.Random) -> bool:
    folder, port = tempfile.mkdtemp(prefix="fog-rdb-"), free_port()
    binary = fog_binary().path
    wrong = cuts = leftovers = whole = 0
    last = 0
    for number in range(count):
        witness = Witness(folder) if is_possible() and chance.random() < 0.4 else None
        server = Server(binary, folder, port, "--rdb-key-save-delay", "0", witness=witness).wait()
        client = Client(port)
        if client.call("EXISTS", "generation") == 0:
            # The first round, or nothing was saved before the end of those before.
            for account in range(ACCOUNTS):
                client.call("SET", f"account:{account}", 100)
            client.call("SET", "generation", 0)
        wrong += check(client, number)
        for _ in range(50):
            transfer(client, chance)
        client.call("SET", "generation", number + 1)
        is_saved = chance.random() < 0.5
        if is_saved:
            client.call("SAVE")
            last = number + 1
        client.call("CONFIG", "SET", "rdb-key-save-delay", 400)
        if chance.random() < 0.7:
            client.call("BGSAVE")
            pause = time.monotonic() + chance.uniform(0, 0.2)
            while time.monotonic() < pause:
                transfer(client, chance)
        else:
            # SAVE answers when it is over: whoever sent it is left behind.
            Client(port).socket.sendall(b"SAVE\r\n")
            time.sleep(chance.uniform(0, 0.2))
        server.kill()
        if witness:
            cuts += 1
            witness.cut(chance)
        try:
            after = Server(binary, folder, port).wait()
        except StartRefused as refusal:
            print(f"saves: round {number}: the server does not start: {refusal}")
            return False
        client = Client(port)
        found = int(str(client.call("GET", "generation") or 0))
        if found not in (last, number + 1):
            wrong += 1
        whole += found == number + 1
        last = found
        wrong += client.call("EXISTS", "generation") == 1 and check(client, number)
        leftovers += len(list(Path(folder).rglob("temp-*")))
        after.kill()
        leftovers += len(list(Path(folder).rglob("temp-*")))
    print(f"saves: {count} rounds, {cuts} with a power cut, {whole} found the last snapshot; {wrong} wrong, temporary "
          f"files left: {leftovers}")
    shutil.rmtree(folder)
    return wrong == 0 and leftovers == 0


def transfer(client: Client, chance: random.Random) -> None:
    first, second = chance.sample(range(ACCOUNTS), 2)
    amount = chance.randrange(50)
    for words in (("MULTI",), ("DECRBY", f"account:{first}", amount), ("INCRBY", f"account:{second}", amount),
                  ("EXEC",)):
        client.call(*words)


def check(client: Client, number: int) -> int:
    """1 when the dataset is no state that ever was."""
    values = client.call("MGET", *(f"account:{account}" for account in range(ACCOUNTS)))
    assert isinstance(values, list)
    total = sum(int(value or 0) for value in values)
    if total != TOTAL:
        print(f"saves: round {number}: the accounts hold {total}")
    return total != TOTAL


# --- folders


def make_folder() -> Path:
    """An append only directory with a base, an older increment by hand, and checksums."""
    folder, port = tempfile.mkdtemp(prefix="fog-broken-"), free_port()
    server = Server(fog_binary().path, folder, port, "--appendonly", "yes", "--fog-aof-checksums", "yes",
                    "--appendfsync", "always").wait()
    client = Client(port)
    client.call("SET", "base", "1")
    client.call("BGREWRITEAOF")
    deadline = time.monotonic() + 10
    while "aof_rewrite_in_progress:1" in str(client.call("INFO", "persistence")) and time.monotonic() < deadline:
        time.sleep(0.02)
    for number in range(20):
        client.call("SET", f"key:{number}", "v" * 40)
    server.end()
    return Path(folder)


def manifest(folder: Path) -> Path:
    return folder / "appendonlydir" / "appendonly.aof.manifest"


def part(folder: Path, kind: str) -> Path:
    return next((folder / "appendonlydir").glob(f"*.{kind}.*"))


def split_increment(folder: Path) -> None:
    """A second increment behind the first."""
    text = manifest(folder).read_text()
    manifest(folder).write_text(text + "file appendonly.aof.9.incr.aof seq 9 type i\n")
    (folder / "appendonlydir" / "appendonly.aof.9.incr.aof").write_text(MARK)


def flip(path: Path, place: int) -> None:
    """One bit, at a place or behind it: in a value where there is one, so that the change would be served."""
    data = bytearray(path.read_bytes())
    data[max(place, data.find(b"vvvv"))] ^= 0x10
    path.write_bytes(bytes(data))


def edit(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text()))


Case = tuple[str, Callable[[Path], object], tuple[str, ...], str, int]
GARBAGE = b"\x00\x01garbage that is no command"
# name, what is done to the folder, options, what the log must say ("" when it must start), keys there must be then
CASES: tuple[Case, ...] = (
    ("untouched", lambda folder: None, (), "", 21),
    ("missing increment", lambda folder: part(folder, "incr").unlink(), (), "incr.aof for reading: No such file", 0),
    ("missing base", lambda folder: part(folder, "base").unlink(), (), "base.rdb for reading: No such file", 0),
    ("empty manifest", lambda folder: manifest(folder).write_text(""), (), "Found an empty AOF manifest", 0),
    ("garbled manifest", lambda folder: manifest(folder).write_text("bogus\n"), (), "Invalid AOF manifest file format",
     0),
    ("doubled base", lambda folder: edit(manifest(folder), lambda text: text.splitlines()[0] + "\n" + text), (),
     "Found duplicate base file information", 0),
    ("order", lambda folder: edit(manifest(folder), lambda text: text + text.splitlines()[-1] + "\n"), (),
     "Found a non-monotonic sequence number", 0),
    ("path in manifest", lambda folder: edit(manifest(folder), lambda text: text.replace("file ", "file ../", 1)), (),
     "File can't be a path", 0),
    ("garbage behind", lambda folder: part(folder, "incr").open("ab").write(GARBAGE), (), "Bad file format", 0),
    ("garbage behind, given up", lambda folder: part(folder, "incr").open("ab").write(GARBAGE),
     ("--aof-load-corrupt-tail-max-size", "1000"), "", 21),
    ("cut behind", lambda folder: part(folder, "incr").open("ab").write(b"*3\r\n$3\r\nSET\r\n"), (), "", 21),
    ("cut behind, not allowed", lambda folder: part(folder, "incr").open("ab").write(b"*3\r\n$3\r\nSET\r\n"),
     ("--aof-load-truncated", "no"), "Unexpected end of file", 0),
    ("flipped bit", lambda folder: flip(part(folder, "incr"), 0), (), "at offset", 0),
    ("flipped bit in the base", lambda folder: flip(part(folder, "base"), 20), (), "is broken at byte", 0),
    ("cut before an empty increment", lambda folder: (
        split_increment(folder), part(folder, "9.incr").write_bytes(b""),
        part(folder, "2.incr").open("ab").write(b"*3\r\n")), (), "", 21),
    ("cut in the middle", lambda folder: (split_increment(folder), part(folder, "2.incr").open("ab").write(b"*3\r\n")),
     (), "the truncated file is not the last file", 0),
)


def folders() -> bool:
    template = make_folder()
    failures = 0
    for name, damage, options, words, keys in CASES:
        folder = Path(tempfile.mkdtemp(prefix="fog-broken-"))
        shutil.copytree(template, folder, dirs_exist_ok=True)
        damage(folder)
        verdict = ""
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        try:
            server = Server(fog_binary().path, str(folder), free_port(), "--appendonly", "yes", *options).wait()
            found = Client(server.port).call("DBSIZE")
            server.kill()
            verdict = f"the server starts, though {words!r} was to be said" if words else ""
            if not words and found != keys:
                verdict = f"{found} keys are there, not {keys}"
            if name == "garbage behind, given up" and not any(
                    path.read_bytes() == GARBAGE for path in folder.rglob("*.tail-*")):
                verdict = "the garbage was not kept aside"
        except StartRefused as refusal:
            text = str(refusal)
            if not words or words not in text:
                verdict = f"wanted {words!r} in the log: {text[-700:]}"
            elif any(path.read_bytes() != data for path, data in before.items()):
                verdict = "a refused start has changed a file"
        failures += bool(verdict)
        print(f"folders: {name}: {'FAILED: ' + verdict if verdict else 'ok'}")
        shutil.rmtree(folder)
        Path(str(folder) + ".log").unlink(missing_ok=True)
    shutil.rmtree(template)
    return failures == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    results = [folders(), save_rounds(options.rounds, random.Random(options.seed))]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
