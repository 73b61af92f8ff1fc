"""Sends the same commands to Fog and to stock servers and fails on any difference that is not listed.

Usage: differential.py [--only NAME ...] [--streams | --generated] [--examples N] [--seed N] [--write-missing]
Compares replies byte for byte and the state of every key afterwards, in RESP2 and RESP3, with one and four I/O
threads. What is known to differ stands in differences.txt and missing.txt; see README.md.
"""
from __future__ import annotations

import argparse
import sys
import textwrap
import time
from fnmatch import fnmatch

from checklist import command_names, missing_commands
from properties import Search, choose_seed, load_families
from rules import (DIFFERENCES_PATH, FOLDER, MISSING_PATH, Rule, explain, load_missing, load_rules, stale_rules,
                   write_missing)
from runs import Found, Pool, fog_options, run_stream
from session import Stream, load_streams

EXAMPLES_PER_FAMILY = 300
SHOWN_CHARACTERS = 600


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare Fog with stock servers.")
    parser.add_argument("--only", nargs="+", default=[], help="names (globs) of streams and families to run")
    parser.add_argument("--streams", action="store_true", help="only the hand-written streams")
    parser.add_argument("--generated", action="store_true", help="only the generated families")
    parser.add_argument("--examples", type=int, default=EXAMPLES_PER_FAMILY, help="sequences per family")
    parser.add_argument("--seed", help="seed of the generated sequences")
    parser.add_argument("--write-missing", action="store_true", help="write missing.txt anew and stop")
    parser.add_argument("--limit", type=int, default=40, help="differences shown per stream")
    return parser.parse_args()


def wanted(name: str, only: list[str]) -> bool:
    return not only or any(fnmatch(name, pattern) for pattern in only)


def cut(text: str) -> str:
    """A reply short enough to read."""
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}... ({len(text)} characters)"


class Report:
    """Counts and prints what a run finds."""

    def __init__(self, rules: list[Rule], limit: int) -> None:
        self.rules = rules
        self.limit = limit
        self.unexplained = 0
        self.explained = 0
        self.run: set[str] = set()

    def show(self, title: str, found: Found, seconds: float) -> None:
        """Prints one stream's or family's result: differences that no rule explains, with their variants."""
        new = []
        for difference, variants in found.variants.items():
            if explain(self.rules, difference) is None:
                new.append((difference, variants))
            else:
                self.explained += 1
        self.unexplained += len(new)
        verdict = "ok" if not new else f"{len(new)} differences"
        print(f"{title:<44} {verdict}  ({seconds:.1f} s)", flush=True)
        for difference, variants in new[: self.limit]:
            print(f"    {difference.command}")
            print(f"        fog:   {cut(difference.fog)}\n        stock: {cut(difference.stock)}")
            print(f"        in:    {', '.join(variants[:8])}")
        if len(new) > self.limit:
            print(f"    ... and {len(new) - self.limit} more")


def check_missing(pool: Pool) -> tuple[frozenset[str], int]:
    """Prints the commands that are not implemented; returns them and the number of lines that are wrong."""
    fog = command_names(pool.get("fog", *fog_options(1)))
    lacking = missing_commands(fog, [command_names(pool.get(name)) for name in ("redis", "valkey")])
    listed = load_missing()
    unlisted = [name for name in lacking if name not in listed]
    back = [name for name in listed if name not in lacking]
    print(f"not implemented: {len(lacking)} stock commands, {len(unlisted)} of them not in {MISSING_PATH.name}")
    print_names("missing and not listed", unlisted)
    print_names("listed as missing, but there (run --write-missing)", back)
    return frozenset(lacking), len(unlisted) + len(back)


def print_names(title: str, names: list[str]) -> None:
    if names:
        text = f"{title}: {', '.join(names)}"
        print(textwrap.fill(text, 116, initial_indent="    ", subsequent_indent="        "))


def run_streams(pool: Pool, streams: list[Stream], missing: frozenset[str], report: Report) -> None:
    for stream in streams:
        found, started = Found(), time.monotonic()
        steps = run_stream(pool, stream, missing, found)
        report.run.add(stream.name)
        report.show(f"stream {stream.name} ({steps} replies)", found, time.monotonic() - started)


def run_families(pool: Pool, only: list[str], missing: frozenset[str], report: Report, examples: int,
                 seed: int) -> None:
    print(f"seed of the generated sequences: {seed}  (again with --seed {seed})")
    for family in load_families():
        if not wanted(family.name, only):
            continue
        if not family.covered(missing):
            print(f"generated {family.name}: none of its commands exists yet")
            continue
        found, started = Found(), time.monotonic()
        search = Search(pool, family, missing, report.rules)
        search.run(found, examples, seed)
        report.run.add(family.name)
        report.show(f"generated {family.name} ({search.example_count} sequences)", found, time.monotonic() - started)


def main() -> int:
    options = parse_options()
    report = Report(load_rules(), options.limit)
    pool = Pool()
    try:
        if options.write_missing:
            fog = command_names(pool.get("fog", *fog_options(1)))
            write_missing(missing_commands(fog, [command_names(pool.get(name)) for name in ("redis", "valkey")]))
            return 0
        missing, wrong = check_missing(pool)
        if not options.generated:
            streams = [stream for stream in load_streams(FOLDER / "streams") if wanted(stream.name, options.only)]
            run_streams(pool, streams, missing, report)
        if not options.streams:
            run_families(pool, options.only, missing, report, options.examples, choose_seed(options.seed))
    finally:
        pool.stop()
    stale = stale_rules(report.rules, report.run)
    for rule in stale:
        print(f"{DIFFERENCES_PATH.name}: explains nothing any more: {rule.text}")
    print(f"differences: {report.unexplained} unexplained, {report.explained} listed, {len(stale)} lines stale; "
          f"commands: {wrong} lines of {MISSING_PATH.name} to mend")
    return 1 if report.unexplained or stale or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
