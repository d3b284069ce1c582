"""Fail if a built page has a link that leads nowhere, a picture that is missing or a formula left as it was typed.

python docs/check_site.py BUILD_FOLDER
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Inside these a dollar or a backslash is what it is.
VERBATIM = {"pre", "code", "script", "style", "math", "title"}
TYPED = re.compile(r"\$[^$\s][^$]*\$|\\(?:frac|sum|beta|hat|sqrt|lambda|tau|gamma)\b")
LINKS = {"a": "href", "link": "href", "img": "src", "script": "src", "source": "src", "iframe": "src"}


class Page(HTMLParser):
    """Where a page leads, the places in it that others may lead to, and the text between formulas and code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.faults: list[str] = []
        self._verbatim = 0
        self._text: list[str] = []
        self.feed(text)
        self.faults += [f"formula as typed: {typed}" for typed in TYPED.findall("".join(self._text))]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        self.places |= {value for key in ("id", "name") if (value := values.get(key))}
        if (link := values.get(LINKS.get(tag, ""))) is not None:
            self.links.append(link)
        # An empty one says that the picture is told of beside it.
        if tag == "img" and "alt" not in values:
            self.faults.append(f"picture without a description: {values.get('src')}")
        if tag == "merror":
            self.faults.append("formula that could not be read")
        self._verbatim += tag in VERBATIM

    def handle_endtag(self, tag: str) -> None:
        self._verbatim -= tag in VERBATIM

    def handle_data(self, data: str) -> None:
        if not self._verbatim:
            self._text.append(data)


def main(folder: str) -> int:
    root = Path(folder).resolve()
    pages = {path: Page(path.read_text()) for path in sorted(root.rglob("*.html")) if "_static" not in path.parts}
    faults = []
    for path, page in pages.items():
        where = path.relative_to(root)
        faults += [f"{where}: {fault}" for fault in page.faults]
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                faults.append(f"{where}: leads nowhere: {link}")
            # Pages of the source lead to the right page, by the place's name in its module.
            elif (
                "_modules" not in path.parts
                and parts.fragment
                and target in pages
                and unquote(parts.fragment) not in pages[target].places
            ):
                faults.append(f"{where}: no such place: {link}")
    print("\n".join(faults) if faults else f"{len(pages)} pages: every link leads somewhere, every formula is one")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
