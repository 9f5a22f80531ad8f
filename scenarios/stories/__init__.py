"""Sequences that once went wrong, or might: one module a story, with the name of its machine and its moves.

The test suite plays each of them on a fake of its own; a new one needs a file and nothing else.
"""
