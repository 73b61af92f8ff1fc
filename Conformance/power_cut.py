"""What a power cut would leave of a killed server's folder: of each file, what was on the device at that moment.

The server runs under strace, which notes what its threads wrote and which syncs returned; nothing of the server is
changed for it, so a sync that it forgets is found. A sync makes durable what was written before it was asked for. A
file that is not synced keeps an arbitrary part of what came after its last sync; a file whose directory was not synced
after it was made may be gone. Renames keep their order with the syncs before them, as journalling file systems do.
"""
from __future__ import annotations

import os
import random
import re
import shutil
import time
from pathlib import Path

TRACED = "openat,write,pwrite64,fdatasync,fsync,ftruncate,rename,renameat,renameat2,unlink,unlinkat"
_LINE = re.compile(r"^(\d+) +(?:<\.\.\. (\w+) resumed>(.*)|(\w+)\((.*))$")
_PLACE = re.compile(r"^\d+<([^>]*)>")
_RESULT = re.compile(r"\) += (-?\d+)(?:<([^>]*)>)?[^)]*$")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')


def is_possible() -> bool:
    return shutil.which("strace") is not None


def is_running(pid: int) -> bool:
    try:
        return not re.search(r"^State:\s+Z", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except (FileNotFoundError, ProcessLookupError):
        return False


class Witness:
    """One run of a server on `folder` and what strace says about its files."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder).resolve()
        self.log = Path(folder + ".trace")
        self.log.unlink(missing_ok=True)
        self.written = {str(path): path.stat().st_size for path in self.folder.rglob("*") if path.is_file()}
        self.synced = dict(self.written)
        self.fresh: set[str] = set()
        self.waiting: dict[str, tuple[str, str, int]] = {}
        self.interrupted: list[tuple[str, str]] = []
        self.sync_count = 0
        self.tracer = 0

    def command(self, line: list[str]) -> list[str]:
        """The command line with the tracer in front; the process is still the server itself."""
        return ["strace", "-D", "-f", "-q", "--seccomp-bpf", "-y", "-s", "256", "-e", f"trace={TRACED}", "-e",
                "signal=none", "-o", str(self.log), *line]

    def attach(self, pid: int) -> None:
        """Notes who traces the running server."""
        match = re.search(r"^TracerPid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        self.tracer = int(match.group(1)) if match else 0
        if self.tracer == 0:
            raise SystemExit("strace does not trace the server")

    def cut(self, chance: random.Random) -> int:
        """After the server was killed: leaves what was durable. Returns the bytes that went."""
        self.read()
        lost = 0
        for path in sorted(self.folder.rglob("*")):
            if not path.is_file():
                continue
            name, size = str(path), path.stat().st_size
            if name in self.fresh and chance.random() < 0.5:
                lost += size
                path.unlink()
                continue
            durable = min(size, self.synced.get(name, 0))
            kept = chance.choice([durable, chance.randint(durable, size)])
            lost += size - kept
            os.truncate(path, kept)
        return lost

    def read(self) -> None:
        """Waits for the end of the tracer and takes in what it wrote."""
        deadline = time.monotonic() + 20
        while is_running(self.tracer):
            if time.monotonic() > deadline:
                raise SystemExit("strace does not end with its server")
            time.sleep(0.005)
        text = self.log.read_text("utf-8", "replace")
        for line in text.splitlines():
            self.take(line)
        # A rename that the kill interrupted has been done when the old name is gone.
        for name, words in [*self.interrupted, *((name, words) for name, words, _ in self.waiting.values())]:
            if name.startswith("rename"):
                source, target = (str((self.folder / found).resolve()) for found in _TEXT.findall(words)[:2])
                if not Path(source).exists():
                    self.renamed(source, target)
        self.log.unlink()

    def take(self, line: str) -> None:
        match = _LINE.match(line)
        if match is None:
            return
        thread, resumed, rest, name, words = match.groups()
        if name is not None and words.endswith("<unfinished ...>"):
            self.waiting[thread] = (name, words.removesuffix("<unfinished ...>"), self.before(name, words))
            return
        if resumed is not None:
            name, words, before = self.waiting.pop(thread, (resumed, "", 0))
            words += rest
        else:
            before = self.before(name, words)
        result = _RESULT.search(words)
        if result is None:
            self.interrupted.append((name, words))
        elif int(result.group(1)) >= 0:
            self.done(name, words, before, int(result.group(1)), result.group(2))

    def before(self, name: str, words: str) -> int:
        """For a sync: what it will have made durable when it returns."""
        place = _PLACE.match(words)
        return self.written.get(place.group(1), 0) if place and name in ("fdatasync", "fsync") else 0

    def done(self, name: str, words: str, before: int, result: int, opened: str | None) -> None:
        place = _PLACE.match(words)
        path = place.group(1) if place else ""
        if name == "openat":
            self.opened(opened or "", words)
        elif name == "write" and path.startswith(str(self.folder)):
            self.written[path] = self.written.get(path, 0) + result
        elif name in ("fdatasync", "fsync"):
            self.sync_count += 1
            self.synced[path] = max(self.synced.get(path, 0), before)
            self.fresh = {file for file in self.fresh if str(Path(file).parent) != path}
        elif name == "ftruncate":
            size = int(re.split(r"[,)]", words.split(">, ", 1)[1])[0])
            self.written[path] = size
            self.synced[path] = min(size, self.synced.get(path, 0))
        elif name.startswith("rename"):
            self.renamed(*(str((self.folder / text).resolve()) for text in _TEXT.findall(words)[:2]))
        elif name.startswith("unlink"):
            for texts in (self.written, self.synced):
                texts.pop(str((self.folder / _TEXT.findall(words)[0]).resolve()), None)

    def opened(self, path: str, words: str) -> None:
        if not path.startswith(str(self.folder)):
            return
        if path not in self.written and "O_CREAT" in words:
            self.fresh.add(path)
        if path not in self.written or "O_TRUNC" in words:
            self.written[path] = self.synced[path] = 0

    def renamed(self, source: str, target: str) -> None:
        for texts in (self.written, self.synced):
            if source in texts:
                texts[target] = texts.pop(source)
        # What was synced before it got this name is found under one of the two.
        self.fresh.discard(source)
