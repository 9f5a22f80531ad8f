"""What the machines share: how a run in bad weather may end, and telling of runs where somebody listens."""

from __future__ import annotations

from hypothesis import currently_in_test_context, note

#: As usual, finished with losses, or refused by a faked answer; never a crash and never a usage error.
ENDS = {0, 1, 4}


def tell(text: str) -> None:
    """For the report of a failure. A story is played outside of Hypothesis, where nobody keeps notes."""
    if currently_in_test_context():
        note(text)
