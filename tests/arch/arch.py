#!/usr/bin/python3
"""Checks the tree against its own architecture.

  arch.py includes              every #include against cmake/modules.cmake
  arch.py lint                  the ban list and the shape of files
  arch.py links                 relative links in Markdown lead somewhere
  arch.py headers               every header compiles alone (compiler from CXX, else g++)
  arch.py symbols --build DIR   pure modules call no clock, entropy, thread, socket or file
"""

import argparse
import sys
from pathlib import Path

import headers
import includes
import links
import lint
import symbols
import violations

HERE = Path(__file__).resolve().parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("check", choices=["includes", "lint", "links", "headers", "symbols"])
    parser.add_argument("--root", type=Path, default=HERE.parents[1], help="the tree to check")
    parser.add_argument("--build", type=Path, help="the build folder with the archives (symbols)")
    arguments = parser.parse_args()
    checks = {
        "includes": (lambda: includes.check(arguments.root), includes.RULES),
        "lint": (lambda: lint.check(arguments.root), lint.RULES),
        "links": (lambda: links.check(arguments.root), links.RULES),
        "headers": (lambda: headers.check(arguments.root), headers.RULES),
        "symbols": (lambda: symbols.check(arguments.root, arguments.build), symbols.RULES),
    }
    if arguments.check == "symbols" and arguments.build is None:
        parser.error("symbols needs --build DIR")
    run, rules = checks[arguments.check]
    complaints = violations.judge(run(), violations.read_expected(HERE / "expected_violations.txt"), rules)
    for complaint in complaints:
        print(complaint)
    print(f"{arguments.check}: {len(complaints)} violations")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
