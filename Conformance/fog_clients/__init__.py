"""Example clients of Fog's coordinator: thin Python over stock redis-py, one file for each area. `run.py` runs them."""
