"""`python -m scenarios` is `cio-scenarios`."""

from __future__ import annotations

from scenarios.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
