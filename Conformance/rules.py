"""What is known to differ: `differences.txt` and `missing.txt`, read, matched and checked for staleness.

A run fails on a difference that no line explains, and on a line that explains nothing any more, so both files
can only describe the truth. Lines that a random run may or may not meet start with `?`.
"""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
DIFFERENCES_PATH = FOLDER / "differences.txt"
MISSING_PATH = FOLDER / "missing.txt"


@dataclass(frozen=True)
class Difference:
    """One reply (or one field of a key's state) that is not what the stock server gave."""

    stream: str
    command: str
    fog: str
    stock: str


@dataclass
class Rule:
    """One line of `differences.txt`: four globs and a reason."""

    patterns: tuple[re.Pattern[str], ...]
    reason: str
    text: str
    may_not_occur: bool
    streams: re.Pattern[str]
    used: int = field(default=0)

    def explains(self, difference: Difference) -> bool:
        values = (difference.stream, difference.command, difference.fog, difference.stock)
        return all(pattern.fullmatch(value) for pattern, value in zip(self.patterns, values))


def glob(text: str) -> re.Pattern[str]:
    """A pattern whose only special sign is `*`; replies are full of brackets and question marks."""
    return re.compile(".*".join(re.escape(part) for part in text.split("*")), re.DOTALL | re.IGNORECASE)


class BadRule(Exception):
    """A line of the list cannot be read."""


def content_lines(path: Path) -> list[str]:
    """The lines of a list file without comments and blank lines."""
    if not path.exists():
        return []
    lines = [line.strip() for line in path.read_text().splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def load_rules(path: Path = DIFFERENCES_PATH) -> list[Rule]:
    """`stream :: command :: fog's reply :: stock's reply :: reason`, one per line."""
    rules = []
    for line in content_lines(path):
        body = line.removeprefix("?").strip()
        parts = [part.strip() for part in body.split(" :: ")]
        if len(parts) != 5 or not parts[4]:
            raise BadRule(f"{path.name}: wanted `stream :: command :: fog :: stock :: reason`, got: {line}")
        patterns = tuple(glob(part) for part in parts[:4])
        rules.append(Rule(patterns, parts[4], line, line.startswith("?"), patterns[0]))
    return rules


def explain(rules: list[Rule], difference: Difference) -> Rule | None:
    """The first rule that explains a difference, counted as used."""
    for rule in rules:
        if rule.explains(difference):
            rule.used += 1
            return rule
    return None


def stale_rules(rules: list[Rule], streams_run: set[str]) -> list[Rule]:
    """Rules for streams of this run that explained nothing, though they should have."""
    return [rule for rule in rules if not rule.used and not rule.may_not_occur
            and any(rule.streams.fullmatch(stream) for stream in streams_run)]


def load_missing(path: Path = MISSING_PATH) -> dict[str, str]:
    """`name :: reason` (or `container|subcommand :: reason`), by name."""
    missing = {}
    for line in content_lines(path):
        name, _, reason = line.partition(" :: ")
        missing[name.strip().lower()] = reason.strip()
    return missing


def write_missing(names: list[str], path: Path = MISSING_PATH) -> None:
    """Writes the list anew, keeping the reasons that are already there."""
    known = load_missing(path)
    head = ["# Stock commands that the server under test does not have: `name :: reason`, one per line.",
            "# A command that is missing and not listed fails the run; so does a listed one that exists.",
            "# Written by `differential.py --write-missing`; reasons are kept."]
    body = [f"{name} :: {known.get(name) or 'not there yet'}" for name in sorted(names)]
    path.write_text("\n".join(head + body) + "\n")
