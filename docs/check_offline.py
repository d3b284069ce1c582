"""Fail if a built page loads anything from a network: python docs/check_offline.py BUILD_FOLDER"""

import re
import sys
from pathlib import Path

LOADS = re.compile(
    r"""<(?:script|img|iframe|source|link)\b[^>]*?\b(?:src|href)\s*=\s*["']?((?:https?:)?//[^"'\s>]+)"""
    r"""|(?:url\(|@import\s+)["']?((?:https?:)?//[^"')\s]+)""",
    re.IGNORECASE,
)


def main(folder: str) -> int:
    found = [
        f"{path}: {next(filter(None, match.groups()))}"
        for path in sorted(Path(folder).rglob("*"))
        if path.suffix in (".html", ".css")
        for match in LOADS.finditer(path.read_text(errors="replace"))
        if 'rel="canonical"' not in match.group(0)
    ]
    print("\n".join(found) if found else "no page loads anything from a network")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
