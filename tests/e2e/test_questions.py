"""Questions between real nodes: `ekiden ask` and `ekiden serve`, crashes of the node and of the command included."""

import json
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

from daemon import BINARY, ApiError, Daemon, command, wait_until


class Serve:
    """`ekiden serve` in a process of its own."""

    def __init__(self, node, capability, script, *flags):
        self.errors = open(node.directory.with_suffix(f".{capability.replace('/', '-')}.err"), "w+")
        self.process = subprocess.Popen(
            [BINARY, "serve", "--data-dir", str(node.directory), "--capability", capability, "--exec", script, "--json",
             *flags], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        line = self.process.stdout.readline()
        assert line and json.loads(line) == {"kind": "serving", "capability": capability}, self.error_text()

    def error_text(self):
        self.errors.seek(0)
        return self.errors.read()

    def answered(self):
        return json.loads(self.process.stdout.readline())

    def end(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(timeout=20)
        self.process.stdout.close()
        self.errors.close()
        return status


class QuestionTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ekiden-questions-")
        self.root = pathlib.Path(self.folder.name)
        self.alice, self.bob = (Daemon(self.root / name).init() for name in ("alice", "bob"))
        self.nodes = [self.alice, self.bob]
        self.serves = []
        for node in self.nodes:
            node.start("--no-lan")
        self.alice.add_contact("bob", self.bob)
        self.bob.add_contact("alice", self.alice)

    def tearDown(self):
        for serve in self.serves:
            if serve.process.poll() is None:
                serve.end(signal.SIGKILL)
            elif not serve.process.stdout.closed:
                serve.process.stdout.close()
                serve.errors.close()
        for node in self.nodes:
            node.stop()
        self.folder.cleanup()

    def serve(self, node, capability, script, *flags):
        serve = Serve(node, capability, script, *flags)
        self.serves.append(serve)
        return serve

    def ask(self, *words, check=True, **options):
        return command("ask", *words, "--data-dir", self.alice.directory, check=check, **options)

    def wait_until_known(self, capability):
        """Until alice has bob's record with it: neighbours hear of a new one a moment later."""
        def known():
            with self.alice.api() as api:
                return capability in api.call("GET", "/v1/peers/bob").get("record", {}).get("capabilities", [])

        wait_until(known, 20, f"alice does not hear that bob offers {capability}")

    def capabilities(self, node):
        with node.api() as api:
            return [each["capability"] for each in api.call("GET", "/v1/capabilities")["capabilities"]]

    def test_a_command_answers(self):
        serve = self.serve(self.bob, "text/upper", "tr a-z A-Z")
        self.assertEqual(self.ask("bob", "hello").stdout, "HELLO\n")
        self.assertEqual(serve.answered()["failed"], False)
        self.wait_until_known("text/upper")
        shown = json.loads(self.ask("@text", "-", "--json", input="whoever you are").stdout)
        self.assertEqual((shown["to"], shown["name"], shown["capability"]), (self.bob.id, "bob", "text/upper"))
        self.assertEqual(shown["reply"]["body"], "WHOEVER YOU ARE")
        self.assertEqual(shown["reply"]["purpose"], "reply")
        self.assertEqual(self.capabilities(self.bob), ["text/upper"])
        self.assertEqual(serve.end(), 0, "Ctrl-C is the way to end it")
        self.assertEqual(self.capabilities(self.bob), [])

    def test_one_serve_for_each_capability(self):
        first = self.serve(self.bob, "text/upper", "tr a-z A-Z")
        second = command("serve", "--capability", "text/upper", "--exec", "cat", "--data-dir", self.bob.directory,
                         check=False)
        self.assertEqual(second.returncode, 1)
        self.assertIn(f"another `ekiden serve` (process {first.process.pid}) answers requests for text/upper",
                      second.stderr)
        self.assertEqual(self.capabilities(self.bob), ["text/upper"], "who is refused withdraws nothing")
        self.serve(self.bob, "text", "cat")
        first.end(signal.SIGKILL)
        self.serve(self.bob, "text/upper", "tr a-z A-Z")

    def test_the_environment_says_who_asks(self):
        names = ("FROM", "FROM_NAME", "CAPABILITY", "TYPE", "REQUEST_ID")
        self.serve(self.bob, "who", "echo " + " ".join(f'"$EKIDEN_{name}"' for name in names))
        shown = json.loads(self.ask("bob", "?", "--type", "query", "--json").stdout)
        self.assertEqual(shown["reply"]["body"].split(), [self.alice.id, "alice", "who", "query", shown["id"]])

    def test_what_goes_wrong_is_said(self):
        self.serve(self.bob, "fail", 'echo "no such thing: $(cat)" >&2; exit 3')
        done = self.ask("bob", "x", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("bob: exit status 3: no such thing: x", done.stderr)
        self.assertEqual(json.loads(self.ask("bob", "x", "--json", check=False).stderr)["code"], "failed")
        self.serve(self.bob, "slow", "sleep 30", "--timeout", "200ms")
        done = self.ask("bob", "x", "--capability", "slow", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("took longer than", done.stderr)
        self.serve(self.bob, "loud", "yes")
        self.assertIn("over", self.ask("bob", "x", "--capability", "loud", check=False).stderr)
        done = self.ask("bob", "x", "--capability", "unheard-of", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn('does not offer "unheard-of"', done.stderr)
        done = self.ask("bob", "x", check=False)
        self.assertIn("fail, loud, slow", done.stderr)
        done = self.ask("@unheard-of", "x", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("unheard-of", done.stderr)
        self.serve(self.bob, "sleepy", "sleep 30")
        self.wait_until_known("sleepy")
        done = self.ask("@sleepy", "x", "--timeout", "1s", check=False)
        self.assertEqual(done.returncode, 4)
        self.assertIn("bob: it has the request and did not answer within 1 s", done.stderr)
        self.assertEqual(self.ask("bob", "x", "--timeout", "2h", check=False).returncode, 2)

    def test_requests_wait_while_all_are_busy(self):
        log = self.root / "log"
        serve = self.serve(self.bob, "count", f"echo begin >> {log}; cat; sleep 0.3; echo end >> {log}",
                           "--concurrency", "2")
        asks = [subprocess.Popen([BINARY, "ask", "bob", f"question {i}", "--data-dir", str(self.alice.directory)],
                                 stdout=subprocess.PIPE, text=True) for i in range(6)]
        self.assertEqual([ask.communicate(timeout=30)[0] for ask in asks], [f"question {i}\n" for i in range(6)])
        running = most = 0
        for line in log.read_text().split():
            running += 1 if line == "begin" else -1
            most = max(most, running)
        self.assertEqual(most, 2)
        self.assertEqual(serve.end(signal.SIGINT), 0)

    def test_inbox_and_serve_do_not_take_from_each_other(self):
        with self.bob.api() as api:
            api.call("PUT", "/v1/capabilities/echo")
        ask = subprocess.Popen([BINARY, "ask", "bob", "question", "--data-dir", str(self.alice.directory)],
                               stdout=subprocess.PIPE, text=True)
        command("send", "bob", "letter", "--wait", "delivered", "--data-dir", self.alice.directory)
        with self.bob.api() as api:
            wait_until(lambda: api.call("GET", "/v1/status")["requests"] == 1, 20, "the request did not come")
        shown = command("inbox", "--purpose", "request", "--peek", "--json", "--data-dir", self.bob.directory)
        self.assertEqual(json.loads(shown.stdout)["body"], "question")
        read = command("inbox", "--json", "--data-dir", self.bob.directory).stdout.splitlines()
        self.assertEqual([json.loads(line)["body"] for line in read], ["letter"])
        command("send", "bob", "another", "--wait", "delivered", "--data-dir", self.alice.directory)
        self.serve(self.bob, "echo", "cat")
        self.assertEqual(ask.communicate(timeout=30)[0], "question\n")
        read = command("inbox", "--json", "--data-dir", self.bob.directory).stdout.splitlines()
        self.assertEqual([json.loads(line)["body"] for line in read], ["another"])

    def test_a_request_survives_the_death_of_whoever_answers(self):
        flag = self.root / "flag"
        script = f"if [ ! -e {flag} ]; then touch {flag}; sleep 60; fi; cat"
        first = self.serve(self.bob, "echo", script)
        ask = subprocess.Popen([BINARY, "ask", "bob", "question", "--data-dir", str(self.alice.directory)],
                               stdout=subprocess.PIPE, text=True)
        wait_until(flag.exists, 20, "the request was not run")
        first.end(signal.SIGKILL)
        self.bob.kill()
        self.bob.start("--no-lan")
        self.serve(self.bob, "echo", script)
        self.assertEqual(ask.communicate(timeout=30)[0], "question\n")

    def test_children_end_with_the_command(self):
        flag = self.root / "pid"
        serve = self.serve(self.bob, "sleepy", f"echo $$ > {flag}; sleep 60 & wait")
        ask = subprocess.Popen([BINARY, "ask", "bob", "question", "--data-dir", str(self.alice.directory)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        wait_until(lambda: flag.exists() and flag.read_text().strip(), 20, "the request was not run")
        pid = int(flag.read_text())
        began = time.monotonic()
        self.assertEqual(serve.end(), 0)
        self.assertLess(time.monotonic() - began, 10)
        self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())
        self.assertIn("offers nothing", ask.communicate(timeout=30)[1])

    def test_a_message_goes_to_whoever_offers(self):
        self.serve(self.bob, "print/a4", "cat")
        self.ask("bob", "to have a link")
        self.wait_until_known("print/a4")
        shown = json.loads(command("send", "@print", "page", "--json", "--data-dir", self.alice.directory).stdout)
        self.assertEqual((shown["to"], shown["capability"], shown["linked"]), (self.bob.id, "print/a4", True))
        wait_until(lambda: "page" in command("inbox", "--data-dir", self.bob.directory).stdout, 20, "nothing came")
        done = command("send", "@scan", "page", "--data-dir", self.alice.directory, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("scan", done.stderr)

    def test_a_full_outbox_refuses_before_it_accepts(self):
        self.alice.stop()
        settings = self.alice.directory / "ekiden.toml"
        settings.write_text(settings.read_text().replace("max_messages = 65536", "max_messages = 2", 1))
        self.alice.start("--no-lan")
        self.bob.stop()
        send = ["send", "bob", "x", "--data-dir", self.alice.directory]
        own = "6f0c5a52-5f0e-4d4b-9a57-2f9f1f2f3a77"
        command(*send, "--id", own)
        command(*send)
        done = command(*send, check=False)
        self.assertEqual(done.returncode, 5)
        self.assertIn("outbox", done.stderr)
        self.assertEqual(command(*send, "--id", own).stdout.strip(), own, "what is accepted is accepted")
        self.assertEqual(command("send", "bob", "y", "--id", own, "--data-dir", self.alice.directory,
                                 check=False).returncode, 1)
        with self.alice.api() as api:
            with self.assertRaises(ApiError) as refused:
                api.call("POST", "/v1/messages", {"to": "bob", "body": "x"})
            self.assertEqual((refused.exception.status, refused.exception.problem["code"]), (429, "limit-exceeded"))
        shown = command("outbox", "--state", "queued", "--to", "bob", "--json", "--data-dir", self.alice.directory)
        self.assertEqual(len(shown.stdout.splitlines()), 2)
        shown = command("outbox", "--state", "delivered", "--json", "--data-dir", self.alice.directory)
        self.assertEqual(shown.stdout, "")
        self.bob.start("--no-lan")
        command("trace", own, "--retry", "--data-dir", self.alice.directory)
        wait_until(lambda: command(*send, check=False).returncode == 0, 30, "the outbox stayed full")


if __name__ == "__main__":
    unittest.main()
