#!/usr/bin/env python3
"""Writes FOG.md, the reference of the FOG.* commands: syntax, summary, complexity and ACL categories as the server
declares them (COMMAND DOCS and INFO), and for each an example that was run (fog_examples.txt).

    FOG_SERVER=.build/release/fog-server python3 Conformance/fog_reference.py          # writes ../FOG.md
    FOG_SERVER=.build/release/fog-server python3 Conformance/fog_reference.py --check  # fails when one has no example
"""

import subprocess
import sys
from pathlib import Path

from servers import Server, fog_binary

HERE = Path(__file__).resolve().parent

# What a syntax line and an example do not tell, by command; behind the complexity.
NOTES = {
    "fog.class|set": """\
POLICY says which keys of the class go when they take more than MAXMEM. Its names are those of `maxmemory-policy`; the
class has its own, whatever the server's is.

| POLICY | what goes |
|---|---|
| not given, `allkeys-lru`, `allkeys-s3fifo` | the unused: a hand goes round the keys of the class, takes \
what was not used since it passed, and what was used loses one use |
| `allkeys-lfu`, `allkeys-tinylfu` | the least used of the next 16 keys under the hand; one in 32 that are looked at \
loses a use |
| `volatile-lru`, `volatile-lfu` | the same, but only keys with an expiry |
| `allkeys-random`, `volatile-random` | any key, any key with an expiry |
| `volatile-ttl` | about the soonest to expire: the soonest of 16 more keys and of the 16 soonest that were met before |
| `noeviction` | nothing |
| `allkeys-lrm`, `volatile-lrm` | refused: a class has no order by modification |

What differs from `maxmemory-policy`: uses are counted once for all, as the server's own policy has it: up to 3, up to
15 levels while it is an LFU one, and only writes while it is an LRM one. So lfu in a class tells four degrees of use
under any other server policy, and they fade with evictions from the class, not with time. The key that was written last
goes last. Values go down a tier first where there is one, before any key goes, also under `noeviction`; not under
`volatile-ttl`, whose next victim would be the same key.

Where no key may go, under `noeviction` and under a volatile policy when no key of the class has an expiry, a command
that may grow the dataset and writes to a key of the class is refused while the class is over its limit:
`OOM command not allowed when used memory of class 'name' > 'MAXMEM'.` Reads, deletes and keys of other classes go on;
so does what `maxmemory` lets pass (RENAME, SMOVE, MOVE into the class). In a transaction the command is refused as it is
queued, and EXEC when the class became full since; a script's commands are refused until it has written something,
unless it says `allow-oom`. FOG.CLASS STATS counts them as `refused`.""",
}


def cli(port: int, *words: str) -> str:
    """A reply as redis-cli shows it to a person."""
    line = ["redis-cli", "-p", str(port), "--no-raw", *words]
    return subprocess.run(line, capture_output=True, text=True, check=True, timeout=30).stdout.rstrip("\n")


def pairs(flat: list[object]) -> dict[str, object]:
    """A RESP2 map."""
    return dict(zip(flat[::2], flat[1::2]))


def syntax(arguments: list[list[object]]) -> str:
    """Arguments of COMMAND DOCS as a syntax line."""
    words = []
    for argument in map(pairs, arguments):
        flags = argument.get("flags", [])
        token = argument.get("token", "")
        inner = argument.get("arguments", [])
        if argument["type"] == "oneof":
            text = " | ".join(syntax([item]) for item in inner)
            text = f"<{text}>" if "optional" not in flags else text
        elif argument["type"] == "block":
            text = syntax(inner)
        elif argument["type"] == "pure-token":
            text = ""
        else:
            text = str(argument.get("display_text", argument["name"]))
        if "multiple" in flags and "multiple_token" not in flags:
            text = f"{text} [{text} ...]"
        text = f"{token} {text}".strip()
        if "multiple_token" in flags:
            text = f"{text} [{text} ...]"
        words.append(f"[{text}]" if "optional" in flags else text)
    return " ".join(words)


def examples(port: int) -> dict[str, str]:
    """By command: its first line of the session, and the reply."""
    found: dict[str, str] = {}
    for line in (HERE / "fog_examples.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        words = line.split()
        reply = cli(port, *words)
        for name in [words[0], "|".join(words[:2])]:
            found.setdefault(name.lower(), f"> {line}\n{reply}")
    return found


def main() -> int:
    import redis

    missing = []
    with Server(fog_binary()) as server:
        client = redis.Redis(port=server.port, protocol=2, decode_responses=True)
        listed = client.execute_command("COMMAND LIST")
        names = sorted(name for name in listed if name.startswith("fog.") and "|" not in name)
        client.response_callbacks.clear()
        docs = pairs(client.execute_command("COMMAND", "DOCS", *names))
        (server.folder / "warm.csv").write_text("key,value,ttl\ncold:3,z,60\n")
        told = examples(server.port)
        text = ["# FOG commands", "", "Written by `Conformance/fog_reference.py` from what the server declares; the",
                "examples were run one after another against a fresh server."]
        for name in names:
            container = pairs(docs[name])
            text += ["", f"## {name.upper()}", "", str(container["summary"])]
            children = pairs(container.get("subcommands", [])) or {name: docs[name]}
            for child, facts in children.items():
                if child.endswith("|help"):
                    continue
                facts = pairs(facts)
                info = client.execute_command("COMMAND", "INFO", child)[0]
                usage = f"{child.replace('|', ' ').upper()} {syntax(facts.get('arguments', []))}".strip()
                text += ["", f"### {usage}", ""]
                if child != name:
                    text += [str(facts["summary"]), ""]
                text += [f"{str(facts['complexity']).rstrip('.')}; {' '.join(info[6])}"]
                if child in NOTES:
                    text += ["", NOTES[child]]
                if child in told:
                    text += ["", "```", told[child], "```"]
                else:
                    missing.append(child)
        found = pairs(client.execute_command("CONFIG", "GET", "fog-*"))
        text += ["", "## Directives", "", "Those whose names begin with `fog-`, and their defaults. CONFIG SET changes",
                 "them while the server runs, but for `fog-warm-file`.", "", "```"]
        text += [f"{name} {value}" if value else f'{name} ""' for name, value in sorted(found.items())]
        text += ["```"]
    if "--check" not in sys.argv:
        (HERE.parent / "FOG.md").write_text("\n".join(text) + "\n")
    if missing:
        print("without an example:", ", ".join(missing))
    return 1 if missing and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
