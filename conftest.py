"""What every test of this project shares: Hypothesis profiles, a hand-turned clock, and the rule that CI skips nothing.

The live server, its workspaces and their clean-up come from the pytest plugin that fakeio installs.
"""

from __future__ import annotations
