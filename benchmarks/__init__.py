"""What this project costs, as ratios within one run: ``python -m benchmarks``."""
