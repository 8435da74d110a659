#!/usr/bin/python3
"""Runs the same scenarios and seeds with each of the given simulators, and fails unless all trace hashes are equal.

Given one simulator, runs it twice: a simulation replays. Given builds by several compilers and at several levels of
optimisation: all of them do the same.

Example: same_trace.py build/dev/ekiden-sim build/release/ekiden-sim build/asan-ubsan/ekiden-sim
"""

import json
import pathlib
import subprocess
import sys

SCENARIOS = pathlib.Path(__file__).resolve().parents[2] / "scenarios"
RUNS = [("two.toml", "1-2"), ("faults.toml", "1-3")]


def hashes(simulator):
    found = []
    for scenario, seeds in RUNS:
        done = subprocess.run([simulator, "run", str(SCENARIOS / scenario), "--seeds", seeds, "--json"],
                              capture_output=True, text=True, timeout=600, check=False)
        if done.returncode != 0:
            sys.exit(f"{simulator} {scenario} ended with {done.returncode}: {done.stderr}{done.stdout[-500:]}")
        found += [(row["scenario"], row["seed"], row["trace_hash"]) for row in map(json.loads, done.stdout.splitlines())]
    return found


def main():
    simulators = sys.argv[1:]
    if not simulators or simulators[0] in ("-h", "--help"):
        print(__doc__)
        return 2
    if len(simulators) == 1:
        simulators *= 2
    first = hashes(simulators[0])
    for simulator in simulators[1:]:
        other = hashes(simulator)
        for mine, theirs in zip(first, other, strict=True):
            if mine != theirs:
                print(f"{simulators[0]} gives {mine}, {simulator} gives {theirs}")
                return 1
    print(f"{len(first)} runs, {len(simulators)} simulators, all trace hashes equal")
    return 0


if __name__ == "__main__":
    sys.exit(main())
