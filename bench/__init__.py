"""What the gateway costs: start, memory, look-ups, latency, CPU. `python -m bench --help`; docs/benchmarks.md says how to read it."""
