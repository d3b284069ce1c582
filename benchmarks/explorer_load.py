"""Fifty users of the explorer at once: python benchmarks/explorer_load.py [--users N] [--minutes M] [--workers K]

``freshmix explore`` on this machine, and clients that ask it what a browser asks, for states that no other client asks about
and that come but once: nothing can be answered from a memory. A user moves a slider five times, every two seconds or so (the
verdict and two pictures), rests (the best loop and the picture of the tab, too), and reads for 10 to 20 seconds.

It fails where an answer is no right one, where 95% of the answers to a move are not there within a second, or where the
server's processes grow by more than a tenth.
"""

import argparse
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

from freshmix.explorer.state import PICTURES, State

# What is asked for after a move and in a rest, by an output of each callback.
MOVE, BEST, PICTURE = "answered.data", "best.children", "chosen-graph.figure"
MOST_SECONDS, MOST_GROWTH = 1.0, 1.1
HEADERS = {"Content-Type": "application/json"}
# Of the time that passes, what lies before it is not counted: libraries are loaded, and memory is taken once.
WARM = 0.15


class Server:
    """The page, its callbacks, and the memory of its processes."""

    def __init__(self, workers):
        command = [sys.executable, "-m", "freshmix", "explore", "--port", "0", "--workers", str(workers)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)/", self.process.stdout.readline())[1])
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/_dash-dependencies")
        self.callbacks = json.loads(connection.getresponse().read())
        connection.close()

    def recorded(self, output):
        """What a browser sends for the callback with that output, but for the state."""
        name, prop = output.split(".")
        found = next(each for each in self.callbacks if f"{name}.{prop}" in each["output"].strip(".").split("..."))
        parts = [part.rsplit(".", 1) for part in found["output"].strip(".").split("...")]
        return {
            "output": found["output"],
            "outputs": [{"id": part[0], "property": part[1]} for part in parts],
            "inputs": found["inputs"],
            "state": found["state"],
        }

    def memory(self):
        """Bytes that each process of the server holds."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        pages = os.sysconf("SC_PAGE_SIZE")
        return {int(pid): int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * pages for pid in children}

    def seconds(self):
        """Of the processor, of all processes of the server."""
        ticks = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13] for pid in self.memory()]
        return sum(int(tick) for pair in ticks for tick in pair) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=60)


def message(recorded, query):
    """The body of a request."""

    def filled(each):
        values = {"state": query, "settled": query, "scheme": "light"}
        return {"id": each["id"], "property": each["property"], "value": values.get(each["id"])}

    body = {
        **recorded,
        "inputs": [filled(each) for each in recorded["inputs"]],
        "state": [filled(each) for each in recorded["state"]],
    }
    first = recorded["inputs"][0]
    return json.dumps({**body, "changedPropIds": [f"{first['id']}.{first['property']}"]})


def some_state(rng):
    """Any of those that people set."""
    fresh = rng.random() < 0.5
    values = {
        "model": str(rng.choice(["isotropic", "spiked", "two-level", "autoregressive", "power-law"])),
        "signal_to_noise": 10 ** rng.uniform(-1, 1.5),
        "aspect": 10 ** rng.uniform(-1, 1),
        "penalty": float(rng.choice([0.0, 10 ** rng.uniform(-3, 1)])),
        "real_weight": rng.uniform(0.05, 1),
        "generations": int(rng.integers(5, 40)),
        "picture": str(rng.choice(PICTURES)),
        "covariates": "fresh" if fresh else "frozen",
    }
    if fresh:
        values |= {"labelled": rng.uniform(0.05, 1), "row_weight": rng.uniform(0, 1), "persistence": rng.uniform(0.8, 1)}
    return State(**{name: round(value, 6) if isinstance(value, float) else value for name, value in values.items()})


def user(number, server, recorded, until, kept, faults):
    """Moves and rests until the time is over; ``kept`` gets (when, kind, seconds, query)."""
    rng = np.random.default_rng([7, number])
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    time.sleep(rng.uniform(0, 20))
    moves = 0
    while time.monotonic() < until:
        state, moves = some_state(rng), moves + 1
        for kind in (MOVE,) if moves % 5 else (MOVE, BEST, PICTURE):
            query, began = state.to_query(), time.monotonic()
            try:
                connection.request("POST", "/_dash-update-component", message(recorded[kind], query), HEADERS)
                answer = connection.getresponse()
                content = answer.read()
            except OSError as problem:
                faults.append(f"{kind} {query}: {problem!r}")
                connection.close()
                continue
            kept.append((began, kind, time.monotonic() - began, query))
            if answer.status != 200 or not right(kind, content, query):
                faults.append(f"{answer.status} {kind} {query}: {content[:200]!r}")
        time.sleep(rng.uniform(1, 3) if moves % 5 else rng.uniform(10, 20))
    connection.close()


def right(kind, content, query):
    """Whether it is an answer, and that of the state."""
    found = json.loads(content)["response"]
    return found["answered"]["data"]["query"] == query if kind == MOVE else kind.split(".")[0] in found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    server = Server(options.workers)
    try:
        return run(server, options)
    finally:
        server.close()


def run(server, options):
    recorded = {kind: server.recorded(kind) for kind in (MOVE, BEST, PICTURE)}
    kept, faults, start = [], [], time.monotonic()
    counted, until = start + WARM * 60 * options.minutes, start + 60 * options.minutes
    known = (server, recorded, until, kept, faults)
    users = [threading.Thread(target=user, args=(number, *known)) for number in range(options.users)]
    for each in users:
        each.start()
    time.sleep(max(0.0, counted - time.monotonic()))
    before, spent = server.memory(), server.seconds()
    for each in users:
        each.join()
    after, spent = server.memory(), server.seconds() - spent
    passed = time.monotonic() - max(start, counted)
    print(f"{spent:.0f} s of the processor in {passed:.0f} s, {spent / passed:.2f} cores")
    return told(kept, faults, counted, before, after, options)


def told(kept, faults, counted, before, after, options):
    """Print what came of it; whether something is wrong."""
    queries = [query for _, kind, _, query in kept if kind == MOVE]
    print(f"{options.users} users, {options.workers} processes, {options.minutes:g} minutes; load {os.getloadavg()[0]:.1f}")
    print(f"{len(kept)} answers to {len(queries)} states, {len(set(queries))} of them distinct; {len(faults)} faults")
    for fault in faults[:5]:
        print(f"  {fault}")
    high = np.inf
    for kind, name in ((MOVE, "a move"), (BEST, "the best loop"), (PICTURE, "the tab's picture")):
        seconds = [each for when, what, each, _ in kept if what == kind and when >= counted]
        if not seconds:
            continue
        median, ninety_five, most = np.percentile(seconds, [50, 95, 100])
        high = ninety_five if kind == MOVE else high
        print(
            f"{name:18s} median {median:6.3f} s  95th percentile {ninety_five:6.3f} s  longest {most:6.3f} s  of {len(seconds)}"
        )
    for pid in before:
        print(f"process {pid}: {before[pid] / 1e6:.0f} MB, at the end {after.get(pid, 0) / 1e6:.0f} MB")
    grown = set(before) != set(after) or any(after[pid] > MOST_GROWTH * before[pid] for pid in before)
    wrong = bool(faults) or grown or high > MOST_SECONDS or len(set(queries)) < len(queries)
    print("fails" if wrong else "holds")
    return wrong


if __name__ == "__main__":
    raise SystemExit(main())
