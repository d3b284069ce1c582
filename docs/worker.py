"""Runs the lines of a page, block by block: requests come as lines of JSON, answers go back as such."""

import ast
import io
import json
import os
import sys
import traceback
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any


def evaluated(code: str, namespace: dict[str, Any]) -> None:
    """Run the lines; the value of a last expression is printed, as in a notebook."""
    tree = ast.parse(code)
    last = tree.body[-1] if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    if last is not None:
        tree.body.pop()
    exec(compile(tree, "page", "exec"), namespace)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), "page", "eval"), namespace)
        # Axes, curves and figures are looked at, not read.
        first = value[0] if isinstance(value, list) and value else value
        if value is not None and not type(first).__module__.startswith("matplotlib"):
            print(value if isinstance(value, str) else repr(value))


def drawn(folder: str, name: str) -> list[str]:
    """Save the open figures of pyplot and close them."""
    from matplotlib import pyplot

    files = []
    for number in pyplot.get_fignums():
        file = Path(folder) / f"{name}-{number}.png"
        pyplot.figure(number).savefig(file, dpi=150, facecolor="white")
        files.append(str(file))
    pyplot.close("all")
    return files


def answer(request: dict[str, str], namespace: dict[str, Any]) -> dict[str, Any]:
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            evaluated(request["code"], namespace)
        pictures = drawn(request["pictures"], request["name"])
    except BaseException:
        return {"error": traceback.format_exc()}
    return {"printed": printed.getvalue(), "pictures": pictures}


def main() -> None:
    # Answers have a way of their own: whatever else writes to the standard output is not taken for one.
    namespace: dict[str, Any] = {"__name__": "page"}
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line), namespace)), file=answers, flush=True)


if __name__ == "__main__":
    main()
