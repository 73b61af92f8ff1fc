"""Runs the Tcl test suite of Redis 7.0.15 against Fog, file by file, and counts ok, skipped and failed tests.

Usage: tcl_suite.py [--mode spawn|external] [--io-threads N] [--server PATH] [--no-skips] [--propose] [FILE ...]
The suite comes out of Debian's source package, fetched once into a cache folder through private apt lists.
`spawn` lets the suite start the server itself, with each test's own configuration (it finds the server under
test as src/redis-server); `external` points it at one running server, which leaves out what needs a restart.
Every test that is not run stands in tcl_skips.txt with a reason; any other failure makes the run fail.
"""
from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from redis_source import suite_folder
from rules import content_lines
from servers import FOLDER, Binary, Server, fog_binary, port_range

SKIPS_PATH = FOLDER / "tcl_skips.txt"
FILE_TIMEOUT_SECONDS = 540
PROPOSALS_MAX = 60
# What is expected to run today; other files are run by naming them.
DEFAULT_FILES = (
    "unit/printver", "unit/auth", "unit/protocol", "unit/keyspace", "unit/scan", "unit/info", "unit/type/string",
    "unit/type/incr", "unit/type/hash", "unit/expire", "unit/other", "unit/quit", "unit/introspection",
    "unit/introspection-2",
    "unit/limits", "unit/querybuf", "unit/pendingquerybuf", "unit/obuf-limits", "unit/client-eviction",
    "unit/info-command", "unit/networking", "unit/replybufsize", "unit/latency-monitor", "unit/slowlog", "unit/pause",
    "unit/violations", "unit/type/list", "unit/type/list-2", "unit/type/list-3", "unit/sort",
    "unit/acl", "unit/acl-v2", "unit/multi", "unit/pubsub", "unit/pubsubshard", "unit/tracking", "unit/scripting",
    "unit/functions", "unit/dump", "unit/bitops", "unit/bitfield", "unit/geo", "unit/hyperloglog", "unit/type/set",
    "unit/type/zset", "unit/type/stream", "unit/type/stream-cgroups", "unit/oom-score-adj", "unit/aofrw",
    "unit/shutdown", "unit/lazyfree", "unit/memefficiency", "unit/maxmemory",
    "integration/corrupt-dump-fuzzer", "integration/convert-zipmap-hash-on-load", "integration/convert-ziplist-hash-on-load",
    "integration/convert-ziplist-zset-on-load",
)
# Files that start replicas outside of any test, which no skip line reaches: against one running server the suite leaves
# those parts out by itself.
EXTERNAL_FILES = ("unit/multi", "unit/scripting", "unit/functions", "unit/dump", "unit/wait", "unit/lazyfree")
# Files that start replicas outside of any test under a tag of its own.
FILE_TAGS = {"unit/pause": "-needs:repl"}
# Files that look at one client right after another one was sent something: the order of two clients is promised by a
# single event loop only. What --io-threads says wins.
FILE_THREADS = {"unit/client-eviction": 1}
_STATUS = re.compile(r"^\[(ok|err|skip|ignore|exception|TIMEOUT)\]: ?(.*)$")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Result:
    """What one file of the suite said."""

    name: str
    ok: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    finished: bool = False
    seconds: float = 0.0
    tail: str = ""


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run Redis' own Tcl tests against Fog.")
    parser.add_argument("files", nargs="*", help="files of the suite, as unit/type/string")
    parser.add_argument("--mode", choices=("spawn", "external"),
                        help="default: spawn, but external for files that start replicas outside of their tests")
    parser.add_argument("--io-threads", type=int, default=0, help="passed to the server; 0 leaves its default")
    parser.add_argument("--server", help="another binary instead of Fog's")
    parser.add_argument("--tags", default="", help="passed to the suite, as -needs:debug")
    parser.add_argument("--only", action="append", default=[], help="run only this test; may be repeated")
    parser.add_argument("--no-skips", action="store_true", help="also run what the skip list names")
    parser.add_argument("--propose", action="store_true", help="find all lines that the skip list would need")
    parser.add_argument("--verbose", action="store_true", help="show the suite's whole output")
    return parser.parse_args()


def load_skips() -> dict[str, dict[str, str]]:
    """`file :: test name :: reason` by file; the name `*` leaves out the whole file."""
    skips: dict[str, dict[str, str]] = {}
    for line in content_lines(SKIPS_PATH):
        parts = [part.strip() for part in line.split(" :: ")]
        if len(parts) < 3 or not parts[-1]:
            sys.exit(f"{SKIPS_PATH.name}: wanted `file :: test name :: reason`, got: {line}")
        skips.setdefault(parts[0], {})[" :: ".join(parts[1:-1])] = parts[-1]
    return skips


def prepare_tree(suite: Path, binary: Binary) -> Path:
    """A private copy of the suite in which src/redis-server is the server under test."""
    tree = Path(tempfile.mkdtemp(prefix="conformance-tcl-"))
    shutil.copytree(suite / "tests", tree / "tests", symlinks=True)
    (tree / "tests" / "tmp").mkdir(exist_ok=True)
    accept_listpack_lists(tree / "tests" / "support" / "test.tcl")
    for name in ("acl", "acl-v2"):
        accept_newer_refusals(tree / "tests" / "unit" / f"{name}.tcl")
    keep_race_files(tree / "tests" / "integration" / "aof-race.tcl")
    for file in ("redis.conf", "sentinel.conf"):
        shutil.copy(suite / file, tree / file)
    (tree / "src").mkdir()
    for tool in ("redis-cli", "redis-benchmark"):
        found = shutil.which(tool)
        if found:
            (tree / "src" / tool).symlink_to(found)
    # One program, which knows by its name what it is to be.
    for name in ("redis-server", "redis-check-aof", "redis-check-rdb"):
        (tree / "src" / name).symlink_to(binary.path)
    return tree


def accept_listpack_lists(support: Path) -> None:
    """Redis 7.0 calls every list a quicklist; from 7.2 on small ones are listpacks. The assertion takes either."""
    text = support.read_text(encoding="utf-8")
    head = "proc assert_encoding {enc key} {\n"
    if head not in text:
        sys.exit(f"{support}: assert_encoding is not where it was")
    lenient = head + '    if {$enc eq "quicklist" && [r object encoding $key] eq "listpack"} { return }\n'
    support.write_text(text.replace(head, lenient), encoding="utf-8")


def keep_race_files(file: Path) -> None:
    """The suite removes a server's append only file when it ends, here too, where the next server is to load it."""
    text = file.read_text(encoding="utf-8")
    old = "start_server [list overrides $config] $code"
    if old not in text:
        sys.exit(f"{file}: start_server is not where it was")
    file.write_text(text.replace(old, "start_server [list overrides $config keep_persistence true] $code"),
                    encoding="utf-8")


def accept_newer_refusals(file: Path) -> None:
    """Who may not do what is told in other words from Redis 7.2 on, and ACL DRYRUN names the user since then."""
    text = file.read_text(encoding="utf-8")
    wanted = (("*NOPERM*keys*", "*NOPERM*key*"), ("*NOPERM*channels*", "*NOPERM*channel*"),
              ("NOPERM this user has no permissions to access one of the keys used as arguments",
               "NOPERM No permissions to access a key"))
    for old, new in wanted:
        text = text.replace(old, new)
    # MIGRATE is not there yet; the rest of its test is about other commands.
    text = re.sub(r"(?m)^.*DRYRUN command-test MIGRATE.*$", "", text)
    text = re.sub(r'"This user( has no permissions .*" +\[r ACL DRYRUN )([^ ]+)', r'"User \2\1\2', text)
    file.write_text(text, encoding="utf-8")


def suite_arguments(options: argparse.Namespace, name: str, skips: list[str], server: Server | None) -> list[str]:
    """The command line of one file's run."""
    first, last = port_range()
    arguments = ["tclsh", "tests/test_helper.tcl", "--single", name, "--clients", "1", "--durable", "--dont-clean",
                 "--timeout", str(FILE_TIMEOUT_SECONDS - 60), "--baseport", str(first + 40),
                 "--portcount", str(last - first - 60)]
    if server is not None:
        arguments += ["--host", "127.0.0.1", "--port", str(server.port)]
    elif options.io_threads or name in FILE_THREADS:
        arguments += ["--config", "io-threads", str(options.io_threads or FILE_THREADS[name])]
    tags = f"{FILE_TAGS.get(name, '')} {options.tags}".strip()
    if tags:
        arguments += ["--tags", tags]
    for test in options.only:
        arguments += ["--only", test]
    for test in skips:
        arguments += ["--skiptest", test]
    return arguments


def run_suite(tree: Path, arguments: list[str], output_path: Path) -> None:
    """Runs tclsh as the head of its own session, so that it and what it spawned can be ended together."""
    with output_path.open("wb") as output:
        process = subprocess.Popen(arguments, cwd=tree, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                   start_new_session=True)
        try:
            process.wait(FILE_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            output.write(b"\n[TIMEOUT]: the file did not end in time\n")
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()


def read_output(name: str, text: str) -> Result:
    """Sorts the suite's lines into ok, skipped and failed."""
    result = Result(name)
    lines = _COLOUR.sub("", text).splitlines()
    for index, line in enumerate(lines):
        if line.startswith("!!! WARNING"):
            break
        if " done]: " in line and name in line:
            result.finished = True
        match = _STATUS.match(line)
        if match is None:
            continue
        status, rest = match.groups()
        if status == "ok":
            result.ok.append(re.sub(r" \(\d+ ms\)$", "", rest))
        elif status == "skip":
            result.skipped.append(rest)
        elif status == "ignore":
            result.ignored.append(rest)
        else:
            detail = " ".join(lines[index + 1:index + 4])
            result.failed[test_name(rest, name)] = f"[{status}] {detail[:400]}"
    result.tail = "\n".join(lines[-15:])
    return result


def test_name(text: str, file: str) -> str:
    """The test's name out of an error line, which ends in `in tests/FILE.tcl`."""
    return text.removesuffix(f" in tests/{file}.tcl").strip() or "(outside any test)"


def mode_of(options: argparse.Namespace, name: str) -> str:
    return options.mode or ("external" if name in EXTERNAL_FILES else "spawn")


def run_file(options: argparse.Namespace, tree: Path, binary: Binary, name: str, skips: list[str]) -> Result:
    """Runs one file in the mode asked for."""
    started = time.monotonic()
    server = None
    if mode_of(options, name) == "external":
        threads = ("--io-threads", str(options.io_threads)) if options.io_threads else ()
        server = Server(binary, *threads, "--enable-module-command", "yes", name="fog")
    output_path = tree / "output.txt"
    try:
        run_suite(tree, suite_arguments(options, name, skips, server), output_path)
        died = server is not None and not server.is_alive()
        text = output_path.read_text("utf-8", "replace")
    finally:
        if server is not None:
            server.stop()
    if options.verbose:
        print(text)
    result = read_output(name, text)
    result.seconds = time.monotonic() - started
    if died:
        result.failed["(the server died)"] = ""
    if not result.finished and not result.failed:
        result.failed["(the file did not finish)"] = result.tail
    return result


def propose(options: argparse.Namespace, tree: Path, binary: Binary, name: str, skips: list[str]) -> list[str]:
    """Runs a file again and again, leaving out what failed, until it ends: the lines that the list would need."""
    wanted: list[str] = []
    for _ in range(PROPOSALS_MAX):
        result = run_file(options, tree, binary, name, skips + wanted)
        fresh = [test for test in result.failed if not test.startswith("(") and test not in wanted]
        for test in fresh:
            print(f"    {name} :: {test} :: {result.failed[test][:150]}", flush=True)
        wanted += fresh
        if not fresh:
            if result.failed:
                print(f"    {name} :: * :: {next(iter(result.failed.values()))[-300:]}")
            break
    return wanted


def report(result: Result, skips: dict[str, str]) -> int:
    """Prints one file's line and failures; returns the number of things that are wrong."""
    stale = [test for test in skips if test != "*" and test not in result.skipped and not test.startswith("/")]
    print(f"{result.name:<28} ok {len(result.ok):>4}  skipped {len(result.skipped):>3}  "
          f"left out by the suite {len(result.ignored):>3}  failed {len(result.failed):>3}  ({result.seconds:.0f} s)",
          flush=True)
    for test, detail in result.failed.items():
        print(f"    FAILED {test}\n           {detail}")
    for test in stale:
        print(f"    {SKIPS_PATH.name} names a test that the file does not have: {test}")
    return len(result.failed) + len(stale)


def main() -> int:
    options = parse_options()
    binary = Binary("fog", Path(shutil.which(options.server) or options.server).absolute()) if options.server \
        else fog_binary()
    skips = load_skips()
    tree = prepare_tree(suite_folder(), binary)
    totals = {"ok": 0, "skipped": 0, "failed": 0}
    wrong = 0
    try:
        for name in options.files or DEFAULT_FILES:
            mine = {} if options.no_skips else skips.get(name, {})
            if "*" in mine:
                print(f"{name:<28} left out: {mine['*']}")
                continue
            if options.propose:
                propose(options, tree, binary, name, list(mine))
                continue
            result = run_file(options, tree, binary, name, list(mine))
            wrong += report(result, {} if options.only or mode_of(options, name) == "external" else mine)
            totals["ok"] += len(result.ok)
            totals["skipped"] += len(result.skipped)
            totals["failed"] += len(result.failed)
    finally:
        shutil.rmtree(tree, ignore_errors=True)
    print(f"total: ok {totals['ok']}, skipped {totals['skipped']}, failed {totals['failed']}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
