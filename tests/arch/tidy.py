#!/usr/bin/python3
"""clang-tidy over every source file, in parallel, without repeating itself.

  tidy.py                        all of src, tests, fuzz, bench, examples
  tidy.py src/link tests/unit    these folders or files only

Most of the time goes into the headers that the files of a module share. Where a folder is named, its files are joined
into units of several, one parse for each; complaints still name the file. A file that is named is checked alone.

A unit that passed is remembered under the hash of everything that could change the verdict: its files, every header of
ours that they reach, the configuration, the flags, the version of the tool. Like the compiler's cache, this one belongs
to the user and not to a clone. Units that fail are checked again.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import includes
import sources

ROOT = Path(__file__).resolve().parents[2]
TOOL = "clang-tidy-19"
COMPILER = "clang++-19"
TIMEOUT_S = 1200
UNIT = 16  # files joined, as the compiler joins them (CMakePresets.json)
SEARCH = ("src", "include", "tests", ".")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ekiden-tidy"
FLAGS = ["-std=c++23", *(f"-I{folder}" for folder in SEARCH), "-DBOOST_ASIO_HAS_CO_AWAIT",
         "-DBOOST_ASIO_HAS_STD_COROUTINE", "-DBOOST_ASIO_NO_DEPRECATED", "-DBOOST_ALLOW_DEPRECATED_HEADERS",
         "-DSPDLOG_COMPILED_LIB", "-DSPDLOG_FMT_EXTERNAL", "-DTOML_HEADER_ONLY=0", "-DEKIDEN_ASSUME",
          '-DEKIDEN_VERSION="0"']
TEST_HEADERS = ("gtest/gtest.h", "rapidcheck.h", "rapidcheck/gtest.h")


Unit = tuple[Path, ...]  # the files checked by one run of the tool


def reached(path: Path, seen: set[Path]) -> set[Path]:
    """The file and every file of ours that it includes, directly or not."""
    if path in seen:
        return seen
    seen.add(path)
    for _, _, name in includes.includes_of(path.read_text()):
        for folder in (path.parent, *(ROOT / folder for folder in SEARCH)):
            if (folder / name).is_file():
                reached((folder / name).resolve(), seen)
                break
    return seen


def joined(paths: list[Path]) -> list[Unit]:
    """The files of a module together, in parts of equal size; the others, each of them a program, alone."""
    modules: dict[tuple[str, str], list[Path]] = {}
    units: list[Unit] = []
    for path in paths:
        module = sources.module_of(ROOT, path)
        if module is None or path.name == "main.cpp":
            units.append((path,))
        else:
            modules.setdefault((path.relative_to(ROOT).parts[0], module), []).append(path)
    for files in modules.values():
        parts = -(-len(files) // UNIT)
        units += [tuple(files[len(files) * i // parts:len(files) * (i + 1) // parts]) for i in range(parts)]
    return sorted(units, key=len, reverse=True)  # the long ones first, for an even load


class Tidy:
    def __init__(self, cache: Path):
        self.cache = cache
        cache.mkdir(parents=True, exist_ok=True)
        version = subprocess.run([TOOL, "--version"], check=True, capture_output=True, text=True, timeout=60).stdout
        configuration = "".join((ROOT / path).read_text() for path in (".clang-tidy", "tests/.clang-tidy"))
        self.basis = "\n".join([version, configuration, *FLAGS])
        self.test_flags: list[str] = []

    def parse_test_headers_once(self) -> None:
        """Most of the time in a test file goes into the headers of GoogleTest and RapidCheck."""
        header = ROOT / "build" / "tidy" / "tests.hpp"
        header.parent.mkdir(parents=True, exist_ok=True)
        header.write_text("".join(f"#include <{name}>\n" for name in TEST_HEADERS))
        target = header.with_suffix(".pch")
        command = [COMPILER, *FLAGS, "-x", "c++-header", str(header), "-o", str(target)]
        subprocess.run(command, check=True, timeout=TIMEOUT_S, cwd=ROOT)
        self.test_flags = ["-include-pch", str(target)]

    def key(self, unit: Unit) -> Path:
        seen: set[Path] = set()
        for path in unit:
            reached(path, seen)
        digest = hashlib.sha256(self.basis.encode())
        digest.update("\0".join(str(path.relative_to(ROOT)) for path in unit).encode() + b"\0")
        for file in sorted(seen):
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
        return self.cache / digest.hexdigest()

    def check(self, unit: Unit) -> str:
        """The complaints; none if all is clean."""
        passed = self.key(unit)
        is_test = (ROOT / "tests") in unit[0].parents
        main = unit[0] if len(unit) == 1 else ROOT / "build" / "tidy" / f"{passed.name}.cpp"
        command = [TOOL, "--quiet", str(main)]
        if len(unit) > 1:
            main.parent.mkdir(parents=True, exist_ok=True)
            main.write_text("".join(f'#include "{path}"  // NOLINT(bugprone-suspicious-include)\n' for path in unit))
            if is_test:
                command.append(f"--config-file={ROOT / 'tests' / '.clang-tidy'}")
        command += ["--", *FLAGS, *(self.test_flags if is_test else [])]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, cwd=ROOT)
        except subprocess.TimeoutExpired:
            return f"{unit[0]}: {TOOL} took more than {TIMEOUT_S} s for {len(unit)} files"
        finally:
            if len(unit) > 1:
                main.unlink()
        if run.returncode == 0:
            passed.touch()
            return ""
        return run.stdout.strip() or run.stderr.strip()


def selected(names: list[str]) -> list[Unit]:
    if not names:
        return joined(sources.cpp_files(ROOT, ("src", "tests", "fuzz", "bench", "examples"), (".cpp",)))
    folders: list[Path] = []
    units: list[Unit] = []
    for name in names:
        path = Path(name).resolve()
        if path.is_dir():
            folders += sorted(path.rglob("*.cpp"))
        else:
            units.append((path,))
    return joined(folders) + units


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", help="folders or .cpp files; everything if none")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where clean files are remembered")
    arguments = parser.parse_args()
    tidy = Tidy(arguments.cache)
    units = selected(arguments.paths)
    waiting = [unit for unit in units if not tidy.key(unit).exists()]
    if any((ROOT / "tests") in unit[0].parents for unit in waiting):
        tidy.parse_test_headers_once()
    complaints: set[str] = set()
    failed = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for output in pool.map(tidy.check, waiting):
            failed += bool(output)
            # One complaint about a header comes up in every unit that includes it; once is enough.
            for complaint in re.split(r"\n(?=\S+:\d+:\d+: (?:error|warning):)", output):
                if complaint and complaint not in complaints:
                    complaints.add(complaint)
                    print(complaint, flush=True)
    files = sum(map(len, units))
    print(f"clang-tidy: {files} files in {len(units)} units, {len(units) - len(waiting)} unchanged since they passed, "
          f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
