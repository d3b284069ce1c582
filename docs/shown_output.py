"""Run the commands that pages show, and put what they print below them: python docs/shown_output.py [--check] PAGE...

A command stands after ``$`` in a block of text; all lines below it, up to the end of the block, are what it prints. With
``--check`` nothing is written: the exit code says whether the pages are true.
"""

import os
import re
import subprocess
import sys
from difflib import unified_diff
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```text\n\$ (.+)\n(?:.*\n)*?```$", re.MULTILINE)


def printed(command: str) -> str:
    """What a command prints, in the root of the repository, with the programs of this Python first; no spaces at line ends."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("COLUMNS", None)
    run = subprocess.run(command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(f"{command}: exit code {run.returncode}\n{run.stderr}")
    return "\n".join(line.rstrip() for line in run.stdout.strip("\n").splitlines())


def renewed(page: str) -> str:
    """The page with what its commands print today."""
    return BLOCK.sub(lambda block: f"```text\n$ {block[1]}\n{printed(block[1])}\n```", page)


def main(arguments: list[str]) -> int:
    pages = [Path(each) for each in arguments if each != "--check"]
    stale = 0
    for path in pages:
        before = path.read_text()
        after = renewed(before)
        if before == after:
            continue
        stale += 1
        if "--check" in arguments:
            sys.stdout.writelines(unified_diff(before.splitlines(True), after.splitlines(True), str(path), "today"))
        else:
            path.write_text(after)
            print(f"renewed {path}")
    return int("--check" in arguments and stale > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
