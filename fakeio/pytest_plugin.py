"""The pytest plugin `fakeio`: what every test gets by installing the distribution.

pytest loads this file at every start, in every project that has the distribution installed. Everything that costs
time to import is therefore imported by the fixtures, when a test asks for one.
"""

from __future__ import annotations
