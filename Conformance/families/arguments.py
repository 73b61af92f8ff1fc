"""Building blocks for generated commands: pools of keys, numbers, blobs and options, and the shape of a command.

The pools are small on purpose: sequences must meet the same keys and members again, and numbers must sit at the
edges where parsers and arithmetic break. Every part is a hypothesis strategy that yields a tuple of arguments,
so that a part may stand for none, one or many.
"""
from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Command = tuple[bytes, ...]
Part = SearchStrategy[Command]

KEYS = (b"k1", b"k2", b"k3", b"{t}4", b"")
# Sizes around the embstr limit (44), the listpack value limit (64) and a little beyond.
BLOBS = (b"a", b"b", b"", b"hello world", b"10", b"-5", b"3.14", b"\x00\xff\r\n\"", b"x" * 20, b"e" * 44, b"r" * 45,
         b"l" * 64, b"m" * 65, b"z" * 300)
INTEGERS = (b"0", b"1", b"-1", b"2", b"3", b"5", b"10", b"-2", b"-3", b"-10", b"100", b"127", b"128", b"-128", b"-129",
            b"32767", b"32768", b"2147483647", b"2147483648", b"-2147483648", b"-2147483649", b"4294967295",
            b"4294967296", b"9007199254740993", b"9223372036854775806", b"9223372036854775807",
            b"-9223372036854775807", b"-9223372036854775808")
BAD_INTEGERS = (b"", b"abc", b"1.0", b" 1", b"1 ", b"+1", b"007", b"0x10", b"1e3", b"-0", b"-", b"1\x00",
                b"9223372036854775808", b"-9223372036854775809", b"18446744073709551616", b"99999999999999999999999")
FLOATS = (b"0", b"1", b"-1", b"1.5", b"-1.5", b"0.1", b"3.0e3", b"1e-5", b"5e-324", b"1.7976931348623157e308",
          b"-1e308",
          b"1e17", b"123456789.123456789", b"0.30000000000000004", b"1e22", b"100000000000000000000", b"-0.0", b"2.50")
BAD_FLOATS = (b"", b"abc", b" 1", b"1 ", b"1.5abc", b"nan", b"-nan", b"1e400", b"1..2", b"0x1p3", b"1e", b"+-1")
INFINITIES = (b"inf", b"-inf", b"+inf", b"Infinity", b"-INF")
SMALL_COUNTS = (b"0", b"1", b"2", b"3", b"10", b"-1", b"-2")


def one(*choices: bytes) -> Part:
    """One argument out of the choices."""
    return st.sampled_from(choices).map(lambda choice: (choice,))


def either(*parts: Part) -> Part:
    return st.one_of(*parts)


def nothing() -> Part:
    return st.just(())


def sequence(*parts: Part) -> Part:
    """The parts, one after the other."""
    return st.tuples(*parts).map(_flat)


def many(part: Part, least: int = 1, most: int = 4) -> Part:
    """The part again and again."""
    return st.lists(part, min_size=least, max_size=most).map(_flat)


def maybe(part: Part) -> Part:
    """The part or nothing; nothing is what shrinking ends at."""
    return st.one_of(nothing(), part)


def options(*parts: Part, most: int = 3) -> Part:
    """Some of the parts in any order, repeats and conflicts included."""
    return st.lists(st.one_of(*parts), max_size=most).map(_flat)


def token(*words: str) -> Part:
    """An option word, now and then in another case."""
    spelled = [word.encode() for word in words] + [word.lower().encode() for word in words]
    return st.sampled_from(spelled).map(lambda word: (word,))


def fixed(*words: str) -> Part:
    return st.just(tuple(word.encode() for word in words))


def counted(part: Part, least: int = 1, most: int = 3) -> Part:
    """`numkeys key ...`: the count is right nearly always, and sometimes wrong."""
    lists = st.lists(part, min_size=least, max_size=most)
    wrong = st.sampled_from((b"0", b"-1", b"9", b"abc", b"9223372036854775807"))
    right = lists.map(lambda items: (b"%d" % len(items), *(argument for item in items for argument in item)))
    return mostly(right, st.tuples(wrong, lists.map(_flat)).map(lambda pair: (pair[0], *pair[1])))


def _flat(parts: tuple[Command, ...] | list[Command]) -> Command:
    return tuple(argument for part in parts for argument in part)


def weighted(good: tuple[bytes, ...], bad: tuple[bytes, ...], weight: int = 12) -> Part:
    """One argument: `weight` times out of `weight + 1` a good choice, else a bad one."""
    repeats = max(1, round(weight * len(bad) / len(good)))
    return one(*(good * repeats + bad))


def mostly(usual: Part, seldom: Part, weight: int = 8) -> Part:
    """The usual part, and once in a while the other."""
    return st.sampled_from([usual] * weight + [seldom]).flatmap(lambda chosen: chosen)


# The first key turns up most, so that commands meet what earlier ones left.
key = one(*((KEYS[0],) * 5 + (KEYS[1],) * 3 + KEYS[2:]))
blob = one(*BLOBS)
integer = weighted(INTEGERS, BAD_INTEGERS)
small = weighted((b"0", b"1", b"2", b"3", b"5", b"-1", b"-2", b"-3", b"10", b"100", b"-100"), BAD_INTEGERS)
positive = weighted((b"1", b"2", b"3", b"10", b"100"), (b"0", b"-1", b"9223372036854775807", *BAD_INTEGERS), 6)
index = weighted((b"0", b"1", b"2", b"-1", b"-2", b"5", b"-5", b"100", b"-100", b"9223372036854775807",
                  b"-9223372036854775808", b"2147483648", b"-4294967296"), BAD_INTEGERS)
floating = weighted(FLOATS, BAD_FLOATS + INFINITIES)
score = weighted(FLOATS + INFINITIES, BAD_FLOATS)
seconds = weighted((b"100", b"1000", b"2000", b"2147483648"),
                   (b"0", b"-1", b"9223372036854775", b"9223372036854775807", *BAD_INTEGERS), 4)
milliseconds = weighted((b"100000", b"1000000", b"2147483648"),
                        (b"0", b"-1", b"9223372036854775807", b"9223370000000000000", *BAD_INTEGERS), 4)
unix_seconds = weighted((b"4102444800", b"4102444900"),
                        (b"1", b"0", b"-1", b"9223372036854775", b"9223372036854775807", *BAD_INTEGERS), 4)
unix_milliseconds = weighted((b"4102444800000", b"4102444900000"),
                             (b"1", b"0", b"-1", b"9223372036854775807", *BAD_INTEGERS), 4)
expiration = either(sequence(token("EX"), seconds), sequence(token("PX"), milliseconds),
                    sequence(token("EXAT"), unix_seconds), sequence(token("PXAT"), unix_milliseconds))
junk = one(b"", b"FOO", b"1", b"NX", b"\x00", b"-1", b"WITHSCORES", b"LIMIT")


@dataclass(frozen=True)
class Family:
    """The generated commands of one data type, and who says what is right: redis, valkey, or either of them."""

    name: str
    commands: tuple[tuple[str, Part], ...]
    oracle: str = "redis"
    keys: tuple[bytes, ...] = KEYS
    options: tuple[str, ...] = ()
    longest: int = 12
    # Commands that some sequences start with, so that what follows finds something to work on.
    beginnings: tuple[tuple[str, ...], ...] = ()
    foreign: tuple[str, ...] = field(default=("SET k1 foreign", "LPUSH k2 foreign", "SADD k3 foreign",
                                              "ZADD k1 1 foreign", "HSET k2 f foreign", "XADD k3 1-1 f foreign"))

    def command(self, missing: frozenset[str]) -> SearchStrategy[Command]:
        """One command: well-formed mostly, sometimes damaged, now and then one that makes a key of another type."""
        known = [(name, parts) for name, parts in self.commands if name.lower() not in missing
                 and name.lower().replace(" ", "|") not in missing]
        shaped = [st.tuples(st.just(tuple(name.encode().split(b" "))), parts).map(_flat) for name, parts in known]
        foreign = [tuple(line.encode().split(b" ")) for line in self.foreign if line.split()[0].lower() not in missing]
        good = st.one_of(*shaped)
        damaged = st.tuples(good, junk, st.integers(0, 2), st.integers(0, 30)).map(_damage)
        choices = [good] * 20 + [damaged] * 2
        if foreign:
            choices.append(st.sampled_from(foreign))
        return st.sampled_from(choices).flatmap(lambda chosen: chosen)

    def sequence(self, missing: frozenset[str]) -> SearchStrategy[list[Command]]:
        body = st.lists(self.command(missing), min_size=1, max_size=self.longest)
        if not self.beginnings:
            return body
        beginnings = [[tuple(line.encode().split(b" ")) for line in lines if line.split()[0].lower() not in missing]
                      for lines in ((), *self.beginnings)]
        return st.tuples(st.sampled_from(beginnings), body).map(lambda parts: parts[0] + parts[1])

    def covered(self, missing: frozenset[str]) -> bool:
        """True when at least one of the family's commands exists."""
        return any(name.lower().replace(" ", "|") not in missing for name, _ in self.commands)


def _damage(drawn: tuple[Command, Command, int, int]) -> Command:
    """Drops an argument, adds one, or puts junk in the place of one; the command's name stays."""
    command, rubbish, how, where = drawn
    place = 1 + where % max(1, len(command) - 1)
    if how == 0 and len(command) > 1:
        return command[:-1]
    if how == 1:
        return command[:place] + rubbish + command[place:]
    return command[:place] + rubbish + command[place + 1:]
