"""Nodes in network namespaces that a test makes and removes."""

import json
import os
import subprocess

from daemon import BINARY, command, wait_until


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, timeout=30)


def why_not():
    """Why this machine lets us make no network namespaces; nothing if it does."""
    try:
        tried = ip("netns", "add", f"ekiden-try-{os.getpid()}")
        ip("netns", "delete", f"ekiden-try-{os.getpid()}")
    except FileNotFoundError:
        return "there is no `ip` command"
    return f"no network namespaces can be made here: {tried.stderr.strip()}" if tried.returncode else None


class Node:
    """A node in a namespace of its own, with the settings that `ekiden init` writes."""

    def __init__(self, space, directory, address=None):
        self.space, self.directory, self.address = space, directory, address
        self.log = directory.with_suffix(".log")
        self.process = None
        command("init", "--data-dir", directory)
        self.id = command("id", "--data-dir", directory).stdout.strip()

    def start(self, *flags):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", self.space, BINARY, "up", "--data-dir", str(self.directory), *flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.is_ready, 30, lambda: f"{self.log_text()}\nthe node is not ready")
        return self

    def run(self, *words):
        """A command of the node; its output, or None if it fails."""
        done = subprocess.run(["ip", "netns", "exec", self.space, BINARY, *words, "--data-dir", str(self.directory)],
                              capture_output=True, text=True, timeout=60)
        self.last_error = done.stderr
        return done.stdout if done.returncode == 0 else None

    def follow(self, *words):
        """A command of the node that goes on until it is told to end."""
        return subprocess.Popen(["ip", "netns", "exec", self.space, BINARY, *words, "--data-dir", str(self.directory)],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def status(self):
        return json.loads(self.run("status", "--json") or "{}")

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the node ended: {self.log_text()}")
        return self.status().get("ready", False)

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=20)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=20)
        self.process = None

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""
