"""`SpanPattern`: a path with `{SPAN}` or `{YYYY}`, `{MM}`, `{DD}`, and perhaps `{VERSION}`.

The semantics are those of `tfx.components.example_gen.utils`, without the import of TFX: the same
files are found and given the same numbers. A dated span's number is its days since 1970-01-01.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from models.errors import BadInputError

_SPAN = re.compile(r"\{SPAN(?::(?P<width>.*?))?\}")
_VERSION = re.compile(r"\{VERSION(?::(?P<width>.*?))?\}")
_DATES = (("{YYYY}", "year", 4), ("{MM}", "month", 2), ("{DD}", "day", 2))
_EPOCH = date(1970, 1, 1)


def is_span_pattern(path: str) -> bool:
    """Whether a path holds any placeholder of a span."""
    return bool(
        _SPAN.search(path) or _VERSION.search(path) or any(name in path for name, *_ in _DATES)
    )


@dataclass(frozen=True)
class SpanPattern:
    """What a path with placeholders matches.

    Attributes:
        path: As configured.
        dated: Whether spans are days.
        versioned: Whether the path names versions.
    """

    path: str
    dated: bool
    versioned: bool

    @classmethod
    def parse(cls, path: str) -> SpanPattern:
        """The pattern in `path`.

        Raises:
            BadInputError: If a placeholder is missing, doubled or does not fit the others.
        """
        spans, versions = len(_SPAN.findall(path)), len(_VERSION.findall(path))
        dates = [path.count(name) for name, *_ in _DATES]
        if spans and any(dates):
            raise _wrong(path, "it has both {SPAN} and a date; spans are numbers or days")
        if not spans and not any(dates):
            raise _wrong(path, "it has no {SPAN}, and no {YYYY}, {MM} and {DD}")
        if spans > 1 or versions > 1:
            twice = "{SPAN}" if spans > 1 else "{VERSION}"
            raise _wrong(path, f"{twice} is there more than once")
        if any(dates) and dates != [1, 1, 1]:
            raise _wrong(path, "a dated span needs {YYYY}, {MM} and {DD}, each once")
        for name, regex in (("{SPAN}", _SPAN), ("{VERSION}", _VERSION)):
            found = regex.search(path)
            width = found["width"] if found else None
            if width is not None and not (width.isdecimal() and int(width) > 0):
                raise _wrong(
                    path, f"the width {width!r} of {name} is no whole number of digits above zero"
                )
        return cls(path, any(dates), versions == 1)

    @property
    def glob(self) -> str:
        """The path with a `*` for every placeholder."""
        found = _VERSION.sub("*", _SPAN.sub("*", self.path))
        for name, *_ in _DATES:
            found = found.replace(name, "*")
        return found

    def numbers(self, file: str) -> tuple[int, int | None, str]:
        """Span, version (None where the path names none) and how the file writes both.

        Args:
            file: A path that `glob` matches, written as `path` is.

        Raises:
            BadInputError: If what stands at a placeholder is no number, or no day.
        """
        match = self._regex().search(file)
        if match is None:
            raise BadInputError(f"{file}: does not fit data.path {self.path!r}")
        groups = match.groupdict()
        version = self._whole(file, "VERSION", groups["version"]) if self.versioned else None
        written = "/".join(groups.values())
        if not self.dated:
            return self._whole(file, "SPAN", groups["span"]), version, written
        day = [self._whole(file, name.strip("{}"), groups[group]) for name, group, _ in _DATES]
        try:
            number = (date(*day) - _EPOCH).days
        except ValueError:
            raise BadInputError(
                f"{file}: {day[0]:04d}-{day[1]:02d}-{day[2]:02d} is no day (data.path "
                f"{self.path!r}); rename or remove the file"
            ) from None
        return number, version, written

    def label(self, number: int) -> str:
        """What messages call a span: its day or its number."""
        if not self.dated:
            return str(number)
        return (_EPOCH + timedelta(days=number)).isoformat()

    def _regex(self) -> re.Pattern[str]:
        # Placeholders become groups first, so that what is escaped is only what stands between.
        pieces, at = [], 0
        names = [re.escape(name) for name, *_ in _DATES]
        for found in re.finditer("|".join([_SPAN.pattern.replace("?P<width>", "?:"),
                                           _VERSION.pattern.replace("?P<width>", "?:"),
                                           *names]), self.path):  # fmt: skip
            pieces += [_glob_regex(self.path[at : found.start()]), _group(found[0])]
            at = found.end()
        pieces.append(_glob_regex(self.path[at:]))
        return re.compile("".join(pieces))

    def _whole(self, file: str, name: str, text: str) -> int:
        if not re.fullmatch(r"[0-9]+", text):
            raise BadInputError(
                f"{file}: {text!r} stands where data.path {self.path!r} has {{{name}}}; expected "
                "a whole number; rename or remove the file, or change data.path"
            )
        return int(text)


def _group(placeholder: str) -> str:
    for name, group, digits in _DATES:
        if placeholder == name:
            return f"(?P<{group}>.{{{digits}}})"
    name, _, width = placeholder.strip("{}").partition(":")
    return f"(?P<{name.lower()}>.{'{' + width + '}' if width else '*'})"


def _glob_regex(text: str) -> str:
    special = {"*": r"[^\\/]*", "?": r"[^\\/]"}
    return "".join(special.get(c) or re.escape(c) for c in text)


def _wrong(path: str, reason: str) -> BadInputError:
    return BadInputError(f"data.path {path!r}: {reason}")
