"""Put on PYTHONPATH by whoever runs a command against a mutant; see `sitecustomize.py` beside this file."""
