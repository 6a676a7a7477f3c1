"""How many characters a pattern looks at while it matches, counted and not timed.

The pattern is matched a second time by the rules of Python's ``re``: the same choices in the same
order, without its short cuts.
"""

from __future__ import annotations

import importlib
import re
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

GIVEN_UP = 100_000  # far beyond one pass through any text that is asked about here

parser = importlib.import_module("re._parser")
codes = importlib.import_module("re._constants")

CLASSES = {
    codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_WORD: r"\w",
}


class Counted:
    """A pattern that matches as it did, and adds what it looked at to ``steps``."""

    def __init__(self, pattern: re.Pattern[str], steps: list[int]) -> None:
        self.pattern = pattern
        self.steps = steps

    def match(self, text: str, position: int = 0) -> re.Match[str] | None:
        count, end = steps(self.pattern, text, position)  # gives up where ``re`` never would
        self.steps.append(count)
        found = self.pattern.match(text, position)
        assert end == (found.end() if found else None), (self.pattern.pattern, text, position)
        return found

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        position = 0
        while (found := self.match(text, position)) is not None:
            yield found
            if found.end() == len(text):
                return
            position = found.end()


def steps(pattern: re.Pattern[str], text: str, position: int = 0) -> tuple[int, int | None]:
    """Return how many characters ``pattern`` looks at from ``position`` on, and where it ends.

    Raises: AssertionError when it goes on without end.
    """
    matching = Matching(text, ignore_case=bool(pattern.flags & re.IGNORECASE))
    nodes = list(parser.parse(pattern.pattern, pattern.flags))
    end = next(matching.sequence(nodes, position), None)
    return matching.count, end


class Matching:
    """One match of one text; each method yields where it may end, in the order of ``re``."""

    def __init__(self, text: str, *, ignore_case: bool) -> None:
        self.text = text.casefold() if ignore_case else text
        self.ignore_case = ignore_case
        self.count = 0

    def sequence(self, nodes: list[Any], at: int) -> Iterator[int]:
        if not nodes:
            yield at
            return
        code, value = nodes[0]
        for end in self.node(code, value, at):
            yield from self.sequence(nodes[1:], end)

    def node(self, code: Any, value: Any, at: int) -> Iterator[int]:
        if code is codes.MAX_REPEAT:
            least, most, body = value
            return self.repeat(least, most, list(body), at)
        if code is codes.SUBPATTERN:
            return self.sequence(list(value[-1]), at)
        if code is codes.BRANCH:
            return chain.from_iterable(self.sequence(list(branch), at) for branch in value[1])
        return iter(self.single(code, value, at))

    def single(self, code: Any, value: Any, at: int) -> tuple[int, ...]:
        """Return the only end there is, () for none."""
        if code in (codes.ASSERT, codes.ASSERT_NOT):
            looked_at = at if value[0] > 0 else at - 1  # one character back is all there is
            ends = self.sequence(list(value[1]), looked_at) if looked_at >= 0 else iter(())
            found = next(ends, None) is not None
            return (at,) if found is (code is codes.ASSERT) else ()
        if code is codes.AT:
            assert value is codes.AT_END_STRING
            return (at,) if at == len(self.text) else ()
        return (at + 1,) if self.one(code, value, at) else ()

    def repeat(self, least: int, most: int, body: list[Any], at: int) -> Iterator[int]:
        """Yield the ends of the longest repetition first, kept on a stack and not by recursion."""
        stack = [(at, self.turns(body, at, most))]
        while stack:
            end, turns = stack[-1]
            if (further := next(turns, None)) is not None and further > end:
                stack.append((further, self.turns(body, further, most - len(stack))))
                continue
            stack.pop()
            if len(stack) >= least:
                yield end

    def turns(self, body: list[Any], at: int, left: int) -> Iterator[int]:
        return self.sequence(body, at) if left > 0 else iter(())

    def one(self, code: Any, value: Any, at: int) -> bool:
        """Return whether the one character at ``at`` fits, and count it."""
        self.count += 1
        assert self.count < GIVEN_UP, "it looks at the text again and again"
        if at >= len(self.text):
            return False
        character = self.text[at]
        if code is codes.IN:
            return self.in_set(value, character)
        if code is codes.ANY:
            return True
        if self.ignore_case:
            value = ord(chr(value).casefold())
        return (ord(character) == value) is (code is codes.LITERAL)

    def in_set(self, members: list[Any], character: str) -> bool:
        wanted = True
        for code, value in members:
            if code is codes.NEGATE:
                wanted = False
            elif code is codes.LITERAL:
                if self.same(value, character):
                    return wanted
            elif code is codes.RANGE:
                if value[0] <= ord(character) <= value[1]:
                    return wanted
            elif re.match(CLASSES[value], character):
                return wanted
        return not wanted

    def same(self, value: int, character: str) -> bool:
        return chr(value) == character or (self.ignore_case and chr(value).casefold() == character)
