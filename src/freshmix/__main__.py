"""``python -m freshmix``: the command line."""

import sys


def main() -> int:
    """Run the command line and return its exit code, also where it is interrupted while it is still being imported."""
    try:
        from .cli import main as run
    except KeyboardInterrupt:
        print("freshmix: interrupted", file=sys.stderr)
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
