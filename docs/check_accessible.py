"""Fail if axe-core has a serious finding on a built page, light or dark.

python docs/check_accessible.py BUILD_FOLDER
"""

import shutil
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

# Pages of the source and of single functions are made by one template each: one in so many stands for the others.
SAMPLED = {"_modules": 40, "api": 8}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Requests are not told of."""


def pages(root: Path) -> list[str]:
    """Pages to look at, as paths below the root."""
    listed = [path.relative_to(root) for path in sorted(root.rglob("*.html")) if "_static" not in path.parts]
    sampled = {room: [path for path in listed if path.parts[0] == room][::step] for room, step in SAMPLED.items()}
    return [path.as_posix() for path in listed if path in sampled.get(path.parts[0], listed)]


def main(folder: str) -> int:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("pages are looked at in chromium, which is not there: apt-get install chromium")
    root = Path(folder).resolve()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
    Thread(target=server.serve_forever, daemon=True).start()
    faults, names = [], pages(root)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        # A telephone's width is the harder one: more of a page scrolls by itself.
        for scheme, width in (("light", 390), ("dark", 1280)):
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            context.add_init_script(f"localStorage.setItem('mode', '{scheme}'); localStorage.setItem('theme', '{scheme}')")
            page = context.new_page()
            for name in names:
                page.goto(f"http://127.0.0.1:{server.server_port}/{name}")
                faults += [
                    f"{name} ({scheme}): {each['help']}: {node['html'][:200]}"
                    for each in Axe().run(page).response["violations"]
                    if each["impact"] in ("serious", "critical")
                    for node in each["nodes"]
                ]
                wide = page.evaluate("document.documentElement.scrollWidth")
                if wide > width:
                    faults.append(f"{name}: {wide} pixels wide on a screen of {width}")
        browser.close()
    server.shutdown()
    print(
        "\n".join(faults)
        if faults
        else f"{len(names)} pages, light and dark: nothing serious for those who cannot see or point"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
