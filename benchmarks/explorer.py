"""From a slider to the pictures, as the page itself measures it: python benchmarks/explorer.py [--moves N]

Debian's chromium (apt-get install chromium) on the page that ``freshmix explore`` serves. A move is a key pressed on the slider
of the real weight; it ends with the frame in which both pictures of its state are on the screen. The goals are 100 ms at the
median and 250 ms at the 95th percentile, and 2 s for the first paint.
"""

import argparse
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np

STATES = {
    "isotropic, same rows": "",
    "spiked, a penalty": "model=spiked&penalty=0.1",
    "new rows, some labelled": "covariates=fresh&labelled=0.3&aspect=0.5&penalty=0.1",
    "power law, 200 features": "model=power-law&penalty=0.01&aspect=0.5",
}
# Watches both pictures; resolves with the milliseconds from a key to the frame that shows what it changed.
MEASURE = """
() => new Promise((resolve) => {
  const graphs = ['risk_by_generation', 'risk_by_weight'].map((n) => document.querySelector(`#${n}-graph .js-plotly-plot`));
  const start = performance.now();
  let left = graphs.length;
  const give = setTimeout(() => resolve(null), 20000);
  graphs.forEach((graph) => {
    const drawn = () => {
      graph.removeListener('plotly_afterplot', drawn);
      left -= 1;
      if (left === 0) requestAnimationFrame(() => { clearTimeout(give); resolve(performance.now() - start); });
    };
    graph.on('plotly_afterplot', drawn);
  });
  const thumb = document.querySelector('#real_weight-slider [role=slider]');
  thumb.focus();
  thumb.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', code: 'ArrowRight', bubbles: true }));
})
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=60)
    options = parser.parse_args()
    path = shutil.which("chromium")
    if path is None:
        parser.error("needs chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    command = [sys.executable, "-m", "freshmix", "explore", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+/", server.stdout.readline())[0]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            print(f"{'state':26s} {'first paint':>12s} {'answer':>8s} {'median':>8s} {'95th':>8s} {'moves':>6s}   (ms)")
            for name, query in STATES.items():
                print_moves(browser, name, f"{address}?{query}", options.moves)
            browser.close()
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=60)


def print_moves(browser, name, address, moves):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    started = time.perf_counter()
    page.goto(address)
    page.wait_for_selector("#verdict .word")
    answered = 1000 * (time.perf_counter() - started)
    paint = page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime")
    page.wait_for_timeout(3000)
    taken = []
    for _ in range(moves):
        taken.append(page.evaluate(MEASURE))
        # As a hand does; and the slow answers of a state that rests are not asked for.
        page.wait_for_timeout(100)
    known = np.array([np.inf if each is None else each for each in taken])
    median, high = np.percentile(known, [50, 95])
    print(f"{name:26s} {paint:12.0f} {answered:8.0f} {median:8.0f} {high:8.0f} {len(known):6d}", flush=True)
    page.close()


if __name__ == "__main__":
    main()
