"""`cio-scenarios serve`: prints where both services are and what to export, and waits for SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading

from scenarios.serving import serve_both, tell_stand

OK = 0


def serve(options: argparse.Namespace) -> int:
    """Until somebody stops this process. Raises RunError."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with serve_both(options.port) as stand:
        sys.stdout.write(json.dumps(stand.as_dict()) + "\n" if options.json else tell_stand(stand))
        sys.stdout.flush()
        stopped.wait()
    return OK
