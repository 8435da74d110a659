#!/usr/bin/python3
"""How long a node takes to end when it is asked to, soon after its start: nobody who answers late is waited for."""

import pathlib
import signal
import socket
import tempfile
import time
import unittest

from daemon import Daemon

LIMIT_S = 2.0


class StopTest(unittest.TestCase):
    """A node that any address reaches, so that it looks for a router, and that has somebody to join through."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ekiden-stop-")
        self.addCleanup(folder.cleanup)
        self.node = Daemon(pathlib.Path(folder.name) / "node").init()
        self.flags = ["--listen", f"tcp://0.0.0.0:{self.node.port}", "--listen", f"udp://0.0.0.0:{self.node.port}"]
        self.addCleanup(self.node.stop)

    def assert_ends_soon(self):
        begun = time.monotonic()
        self.node.process.send_signal(signal.SIGTERM)
        status = self.node.process.wait(timeout=30)
        took = time.monotonic() - begun
        self.assertEqual(status, 0, self.node.log_text())
        self.assertIn("node: stopping", self.node.log_text())
        self.assertLessEqual(took, LIMIT_S, self.node.log_text())

    def test_while_it_looks_for_a_router(self):
        self.node.start(*self.flags)
        self.assertNotIn("no router answers", self.node.log_text())
        self.assert_ends_soon()

    def test_after_it_has_found_none(self):
        self.node.start(*self.flags)
        # Or one that forwards.
        self.node.wait_logged("router", 60)
        self.assert_ends_soon()

    def test_while_it_joins_through_those_who_do_not_answer(self):
        other = Daemon(self.node.directory.with_name("other")).init().id
        with socket.create_server(("127.0.0.1", 0)) as silent:
            # One accepts and says nothing, to one nothing passes, one has a name that leads nowhere.
            places = (f"tcp://127.0.0.1:{silent.getsockname()[1]}", "tcp://192.0.2.1:7420", "wss://node.invalid:443")
            self.node.start(*self.flags, "--bootstrap", ",".join(f"{other}@{place}" for place in places))
            silent.settimeout(60)
            with silent.accept()[0]:
                self.assert_ends_soon()


if __name__ == "__main__":
    unittest.main()
