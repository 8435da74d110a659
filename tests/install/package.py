#!/usr/bin/python3
"""Installs the library component into a temporary prefix and looks at it as a stranger would.

  package.py files --build DIR      only public headers, one library and the CMake package are there
  package.py exports --build DIR    the library shows symbols of namespace ekiden and nothing else
  package.py example --build DIR    examples/ builds against find_package(ekiden), and every program runs
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = re.compile(
    r"include/ekiden/\w+\.hpp|lib(/[\w-]+)?/libekiden\.so(\.\d+)*|lib(/[\w-]+)?/cmake/ekiden/ekidenConfig[\w-]*\.cmake"
)
# Functions, type information, vtables; guard variables and thunks of ours are not part of an interface.
EXPORTED = re.compile(r"(typeinfo (name )?for |vtable for |VTT for )?ekiden::")


def run(*command: str, timeout: int = 120, **options) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} exited with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def files(prefix: Path, _: argparse.Namespace, __: Path) -> None:
    found = [path.relative_to(prefix).as_posix() for path in prefix.rglob("*") if not path.is_dir()]
    strange = [path for path in found if not EXPECTED.fullmatch(path)]
    missing = {path.name for path in (ROOT / "include" / "ekiden").glob("*.hpp")} - {Path(path).name for path in found}
    if strange or missing or not any(".so" in path for path in found):
        sys.exit(f"installed: {sorted(found)}\nnot expected: {strange}\nmissing: {sorted(missing)}")
    print(f"{len(found)} files")


def exports(prefix: Path, _: argparse.Namespace, __: Path) -> None:
    library = next(path for path in prefix.rglob("libekiden.so.0"))
    lines = run("nm", "--dynamic", "--defined-only", "--demangle", str(library)).splitlines()
    symbols = [line.split(maxsplit=2)[2] for line in lines]
    strange = [symbol for symbol in symbols if not EXPORTED.match(symbol)]
    if strange or not symbols:
        sys.exit(f"{len(symbols)} symbols, of which these are not of namespace ekiden: {strange}")
    print(f"{len(symbols)} symbols")


def example(prefix: Path, arguments: argparse.Namespace, work: Path) -> None:
    sources = sorted((ROOT / "examples").glob("*.cpp"))
    if not sources:
        sys.exit("examples/ holds no program")
    build = work / "build"
    run("cmake", "-G", "Ninja", "-S", str(ROOT / "examples"), "-B", str(build), f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DCMAKE_CXX_COMPILER={arguments.compiler}", "-DCMAKE_BUILD_TYPE=Release",
        "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror")
    run("cmake", "--build", str(build), timeout=240)
    for source in sources:
        home = work / f"home-{source.stem}"
        home.mkdir()
        environment = {**os.environ, "HOME": str(home), "TMPDIR": str(home)}
        print(run(str(build / source.stem), timeout=60, cwd=home, env=environment), end="")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cases = {"files": files, "exports": exports, "example": example}
    parser.add_argument("case", choices=cases)
    parser.add_argument("--build", type=Path, required=True, help="the build folder to install from")
    parser.add_argument("--compiler", default="g++", help="the compiler of the example")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ekiden-install-") as folder:
        prefix = Path(folder) / "prefix"
        run("cmake", "--install", str(arguments.build), "--prefix", str(prefix), "--component", "library")
        cases[arguments.case](prefix, arguments, Path(folder))


if __name__ == "__main__":
    main()
