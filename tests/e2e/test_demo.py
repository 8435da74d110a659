#!/usr/bin/python3
"""scripts/demo, which is the first thing that a newcomer runs: it ends well, and Ctrl-C leaves nothing behind."""

import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from daemon import BINARY

DEMO = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "demo"


def living_processes(session):
    """The processes of a session that still run; zombies wait for their parent only."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            # The name is in parentheses and may hold spaces.
            state, _, _, its_session = (process / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(its_session) == session and state not in "ZX":
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


class DemoTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ekiden-test-demo-")
        self.addCleanup(self.folder.cleanup)
        # A shell cannot trap what was ignored when it started, as SIGINT is for whatever runs in the background.
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))

    def start(self, *words):
        """A demo in a session of its own, which is killed as a whole when the test ends or takes too long."""
        demo = subprocess.Popen([DEMO, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, start_new_session=True,
                                env={**os.environ, "EKIDEN_BINARY": BINARY, "TMPDIR": self.folder.name})
        limit = threading.Timer(120, self.kill, [demo.pid])
        limit.start()
        self.addCleanup(demo.stdout.close)
        self.addCleanup(demo.wait)
        self.addCleanup(self.kill, demo.pid)
        self.addCleanup(limit.cancel)
        return demo

    @staticmethod
    def kill(group):
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def assert_nothing_is_left(self, demo):
        self.assertEqual(living_processes(demo.pid), [])
        self.assertEqual(os.listdir(self.folder.name), [])

    def test_it_shows_that_every_message_is_delivered_exactly_once(self):
        began = time.monotonic()
        demo = self.start()
        shown = demo.communicate()[0]
        self.assertEqual(demo.returncode, 0, shown)
        self.assertLess(time.monotonic() - began, 60)
        self.assertIn("Every message was delivered exactly once", shown)
        self.assertIn("bob: message 1 to 41, each exactly once", shown)
        self.assertIn("alice: answer 1 to 11, each exactly once", shown)
        self.assert_nothing_is_left(demo)

    def interrupt_after(self, line):
        demo = self.start()
        shown = []
        for shown_line in demo.stdout:
            shown.append(shown_line)
            if line in shown_line:
                break
        os.killpg(demo.pid, signal.SIGINT)
        shown += demo.stdout
        self.assertEqual(demo.wait(), 130, "".join(shown))
        self.assertNotIn("Every message was delivered", "".join(shown))
        self.assert_nothing_is_left(demo)

    def test_ctrl_c_among_the_messages_leaves_nothing_behind(self):
        self.interrupt_after("in the middle Bob's node is killed")

    def test_ctrl_c_while_the_nodes_start_leaves_nothing_behind(self):
        self.interrupt_after("Two nodes")

    def test_an_argument_that_it_does_not_know_is_wrong_usage(self):
        demo = self.start("--fast")
        self.assertIn("--fast", demo.communicate()[0])
        self.assertEqual(demo.returncode, 2)


if __name__ == "__main__":
    unittest.main()
