"""A page taken apart by the standard library's parser, which runs nothing and fetches nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

# What makes a browser fetch something: by attribute, whatever the element.
FETCHING = ("src", "srcset", "poster", "data", "action", "background", "formaction", "ping")


@dataclass
class Parsed(HTMLParser):
    """Rows of tables by the section they are in, texts, and everything that could fetch or run."""

    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    drawings: dict[str, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    reaches: list[str] = field(default_factory=list)
    _section: str = ""
    _cell: list[str] | None = None

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    @classmethod
    def of(cls, html: str) -> Parsed:
        """`html`, taken apart."""
        page = cls()
        page.feed(html)
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.tags.append(tag)
        if tag == "section":
            self._section = known["id"] or ""
        if tag == "svg":
            self.drawings[self._section] = self.drawings.get(self._section, 0) + 1
        if tag == "tr":
            self.tables.setdefault(self._section, []).append([])
        if tag in ("td", "th"):
            self._cell = []
        for name, value in attrs:
            text = value or ""
            link = name in ("href", "xlink:href")
            inside = text.startswith("#") or text.startswith("data:image/png;base64,")
            if name.startswith("on") or name in FETCHING or (link and not inside):
                self.reaches.append(f"{tag} {name}={text[:60]}")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._cell is not None:
            self.tables[self._section][-1].append("".join(self._cell))
            self._cell = None

    def handle_data(self, data: str) -> None:
        self.texts[self._section] = self.texts.get(self._section, "") + data
        if self._cell is not None:
            self._cell.append(data)
