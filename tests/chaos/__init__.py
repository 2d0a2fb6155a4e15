"""Random sequences of what callers, operators and accidents do, on the real processes; then ledger and engine agree."""
