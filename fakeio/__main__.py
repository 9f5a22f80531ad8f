"""`python -m fakeio` is the command `fakeio`."""

from __future__ import annotations

import sys

from fakeio.cli import main

if __name__ == "__main__":
    sys.exit(main())
