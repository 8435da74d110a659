"""Which figures of ekiden-bench there are, and that a simulation that breaks a rule is no measurement.

The simulator beside the bench is replaced by a program that says what it is told: only what the bench makes of a line
and of an exit status is tested here. bench.runs and the simulations themselves are tests of their own.
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

BENCH = pathlib.Path(os.environ["EKIDEN_BENCH"])
PLAIN = [f"{way}.{name}" for way in ("flooding", "random") for name in ("delivered", "copies", "hops")]
GOSSIP = [f"gossip.{name}.{nodes}" for nodes in (1000, 10000)
          for name in ["delivered", "copies", "copies_and_ids", "hops", *PLAIN]]
PARTITION = ["partition.detect", "partition.heal"]
SIMULATED = [f"discovery.sim.{name}.{nodes}" for nodes in (1000, 10000)
             for name in ("success", "queries", "median", "p99", "seconds", "memory")]
MEASURED = [f"discovery.{name}.{nodes}" for nodes in (32, 100, 300)
            for name in ("rate", "p50", "p99", "datagrams", "memory")]
REGISTRY = [f"registry.{name}" for name in ("put.rate", "take.rate", "get.rate", "find.rate", "memory", "restart",
                                            "sync.cpu")]
REGISTRY += [f"registry.sync.{name}.{differences}" for differences in (1, 10, 100, 1000)
             for name in ("bytes", "rounds")]


def run(bench, *words):
    return subprocess.run([bench, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


class Names(unittest.TestCase):
    def test_discovery_has_every_figure(self):
        listed = run(BENCH, "discovery", "--json", "--list")
        self.assertEqual((listed.returncode, listed.stderr), (0, ""))
        names = listed.stdout.split()
        self.assertEqual([name for name in names if ".sim." in name], SIMULATED)
        if (BENCH.parent / "ekiden-bench-opendht").exists():
            self.assertEqual([name for name in names if ".sim." not in name], MEASURED)

    def test_agreement_stands_for_its_parts(self):
        listed = run(BENCH, "agreement", "--list")
        self.assertEqual((listed.returncode, listed.stderr), (0, ""))
        self.assertEqual(listed.stdout.split(), REGISTRY + GOSSIP + PARTITION)

    def test_all_says_what_it_leaves_out(self):
        listed = run(BENCH, "--list")
        self.assertEqual(listed.returncode, 0)
        names = listed.stdout.split()
        self.assertIn("message.durable.receipt", names)
        self.assertIn("discovery.sim.p99.1000", names)
        left_out = [line.split()[-1] for line in listed.stderr.splitlines()]
        ours = [name for name in GOSSIP if name.count(".") == 2]
        self.assertEqual(left_out, [name for name in SIMULATED + ours if name.endswith(".10000")])
        self.assertFalse(set(left_out) & set(names))

    def test_an_unknown_name_is_wrong_usage(self):
        self.assertEqual(run(BENCH, "discovery.sim.nothing", "--list").returncode, 2)


class Simulations(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.bench = self.directory / "ekiden-bench"
        shutil.copy(BENCH, self.bench)

    def simulator_ends(self, how):
        """A line as that of `ekiden-sim run --json`, and then `how`."""
        said = json.dumps({"searches": 1000, "found": 999, "search_queries": 15000, "search_median_ms": 200.0,
                           "search_p99_ms": 500.0, "real_half_s": 480.0, "real_s": 640.0,
                           "heard_percent": 100.0, "copies_per_delivery": 1.02, "copies_and_ids_per_delivery": 1.92,
                           "last_hops": 7.5, "healed_s": 1.5}, separators=(",", ":"))
        said += "\n" + json.dumps({"split_noticed_s": 4.0, "split_healed_s": 3.0}, separators=(",", ":"))
        program = self.directory / "ekiden-sim"
        program.write_text(f"#!/bin/sh\necho '{said}'\n{how}\n")
        program.chmod(0o755)

    def measure(self, *which):
        return run(self.bench, *which, "--json", "--directory", str(self.directory))

    def measured(self, *which):
        self.simulator_ends("exit 0")
        ended = self.measure(*which)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return {figure["figure"]: figure for figure in map(json.loads, ended.stdout.splitlines())}

    def test_figures_are_what_the_simulator_said(self):
        figures = self.measured("discovery.sim")
        self.assertEqual(list(figures), SIMULATED)
        for nodes in (1000, 10000):
            self.assertAlmostEqual(figures[f"discovery.sim.success.{nodes}"]["value"], 99.9)
            self.assertEqual(figures[f"discovery.sim.queries.{nodes}"]["value"], 15)
            p99 = figures[f"discovery.sim.p99.{nodes}"]
            self.assertEqual((p99["value"], p99["baseline"], p99["ratio"]), (500, 200, 2.5))
            self.assertEqual(figures[f"discovery.sim.seconds.{nodes}"]["ratio"], 0.8)

    def test_broadcasts_stand_beside_what_others_would_cost(self):
        figures = self.measured("gossip", "partition")
        self.assertEqual(list(figures), GOSSIP + PARTITION)
        self.assertEqual(figures["gossip.hops.1000"]["ratio"], 1.5)
        # Each of five neighbours but the one from whom it came, and one more of the publisher.
        self.assertAlmostEqual(figures["gossip.copies.1000"]["baseline"], 4, delta=0.1)
        self.assertEqual(figures["gossip.flooding.delivered.10000"]["value"], 100)
        # Of those who hear, each pushes to six: e^-6 of all hear nothing.
        self.assertAlmostEqual(figures["gossip.random.delivered.10000"]["value"], 99.75, delta=0.05)
        self.assertAlmostEqual(figures["gossip.random.copies.10000"]["value"], 6, delta=0.1)
        self.assertEqual((figures["partition.detect"]["ratio"], figures["partition.heal"]["value"]), (0.8, 3))

    def test_a_simulation_that_broke_a_rule_is_no_measurement(self):
        for how, word in (("exit 1", "status 1"), ("kill -9 $$", "signal 9")):
            with self.subTest(how):
                self.simulator_ends(how)
                ended = self.measure("discovery.sim")
                self.assertEqual((ended.returncode, ended.stdout), (1, ""))
                self.assertIn(word, ended.stderr)


if __name__ == "__main__":
    unittest.main()
