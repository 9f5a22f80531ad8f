"""How a seed says that it can't be used: apart from `seeding.py`, which a server without a seed never loads."""

from __future__ import annotations


class SeedError(ValueError):
    """A seed that can't be used; the message says where and what would be right."""
