"""That every quick figure can be measured: two processes, the disk, links, a daemon. One repetition each; the program
has to succeed and to print each figure in its form. What it measures says nothing on a busy machine, so no bound is
judged.

The simulator of sim.* is replaced by a program that ends at once: thousand.toml takes half a minute.
"""

import json
import math
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

BENCH = pathlib.Path(os.environ["EKIDEN_BENCH"])
UNITS = {
    "message.volatile.rtt": "us", "message.durable.receipt": "us", "message.durable.rate": "1/s",
    "link.throughput": "MB/s", "link.idle.memory": "KiB", "handshake.rate": "1/s", "handshake.rate.first": "1/s",
    "delivery.relay.rtt": "us", "delivery.relay.rate": "1/s", "delivery.relayed.rate": "1/s",
    "node.idle.memory": "MiB", "sim.rate": "s", "sim.memory": "MiB",
}
FORM = {"figure": str, "value": float, "unit": str, "baseline": float, "ratio": float, "min": float, "max": float,
        "ratio_min": float, "ratio_max": float, "repetitions": int}


def no_constant(name):
    raise ValueError(f"{name} is no JSON")


class Runs(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def measure(self, bench, *prefixes):
        """The figures by name, in the order in which they were printed."""
        words = [*prefixes, "--repetitions", "1", "--json", "--directory", str(self.directory)]
        ended = subprocess.run([bench, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        figures = [json.loads(line, parse_constant=no_constant) for line in ended.stdout.splitlines()]
        for figure in figures:
            self.check_form(figure)
        return {figure["figure"]: figure for figure in figures}

    def check_form(self, figure):
        with self.subTest(figure.get("figure")):
            self.assertEqual(list(figure), list(FORM))
            for key, kind in FORM.items():
                self.assertIsInstance(figure[key], (int, float) if kind is float else kind, key)
            self.assertEqual(figure["unit"], UNITS.get(figure["figure"]))
            self.assertEqual(figure["repetitions"], 1)
            self.assertGreater(figure["value"], 0)
            self.assertGreater(figure["baseline"], 0)
            self.assertTrue(math.isclose(figure["ratio"], figure["value"] / figure["baseline"], rel_tol=1e-3))
            self.assertEqual((figure["min"], figure["max"]), (figure["value"], figure["value"]))
            self.assertEqual((figure["ratio_min"], figure["ratio_max"]), (figure["ratio"], figure["ratio"]))

    def test_of_messages_links_and_daemons(self):
        figures = self.measure(BENCH, "message.", "delivery.relay", "link.", "handshake.", "node.")
        self.assertEqual(set(figures), {name for name in UNITS if not name.startswith("sim.")})

    def test_of_simulations(self):
        bench = self.directory / "ekiden-bench"
        shutil.copy(BENCH, bench)
        simulator = self.directory / "ekiden-sim"
        simulator.write_text("#!/bin/sh\necho '{}'\n")
        simulator.chmod(0o755)
        self.assertEqual(set(self.measure(bench, "sim.")), {"sim.rate", "sim.memory"})

    def test_a_figure_that_cannot_be_measured_fails_the_run(self):
        words = ["sim.memory", "handshake.rate", "--repetitions", "1", "--json", "--directory", str(self.directory)]
        bench = self.directory / "ekiden-bench"
        shutil.copy(BENCH, bench)
        ended = subprocess.run([bench, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("sim.memory", ended.stderr)
        self.assertEqual([json.loads(line)["figure"] for line in ended.stdout.splitlines()],
                         ["handshake.rate", "handshake.rate.first"])


if __name__ == "__main__":
    unittest.main()
