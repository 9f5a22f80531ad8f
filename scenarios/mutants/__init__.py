"""Wrong variants of the fake and of the engine, each a bug that somebody has really shipped: they test the tests.

`cio-scenarios mutants` switches them on one by one and says which suite notices. Nothing happens on import: a mutant is
put in force by `applying.applied`, in this process, or by the `sitecustomize` of `preload/`, in those that are started.
"""
