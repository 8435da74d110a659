#!/usr/bin/python3
"""What a new machine is told: the user data of cloud-init, run with the programs of others replaced, and the container
file, held against what is in the tree and what the program needs."""

import json
import os
import pathlib
import re
import shlex
import shutil
import stat
import subprocess
import tempfile
import unittest

import yaml

from daemon import BINARY, command

TREE = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = TREE / "deploy"

# https://cloudinit.readthedocs.io/en/latest/reference/modules.html; of the keys, those that such a machine may want.
CLOUD_KEYS = {"package_update", "package_upgrade", "packages", "users", "groups", "write_files", "runcmd", "bootcmd",
              "ssh_authorized_keys", "hostname", "fqdn", "timezone", "apt", "ntp", "swap", "final_message"}
USER_KEYS = {"name", "system", "homedir", "no_create_home", "shell", "groups", "primary_group", "sudo",
             "ssh_authorized_keys", "lock_passwd", "gecos", "uid"}
FILE_KEYS = {"path", "content", "owner", "permissions", "encoding", "append", "defer"}

# https://docs.docker.com/reference/dockerfile/
INSTRUCTIONS = {"FROM", "RUN", "CMD", "LABEL", "EXPOSE", "ENV", "ADD", "COPY", "ENTRYPOINT", "VOLUME", "USER",
                "WORKDIR", "ARG", "ONBUILD", "STOPSIGNAL", "HEALTHCHECK", "SHELL"}


def run(*words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60, **options)


def unit(key):
    """The values of a key of the unit."""
    text = (DEPLOY / "ekiden-bootstrap.service").read_text()
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


def home_of_the_unit():
    (home,) = [value.removeprefix("EKIDEN_HOME=") for value in unit("Environment") if value.startswith("EKIDEN_HOME=")]
    return home


def ports_that_others_dial():
    ports = set()
    for transport, port in re.findall(r"(\w+)://\S+?:(\d+)(?!\S)", (DEPLOY / "bootstrap.env").read_text()):
        ports.add(f"{port}/{'udp' if transport == 'udp' else 'tcp'}")
    return ports


class UserDataTest(unittest.TestCase):
    def setUp(self):
        self.text = (DEPLOY / "cloud-init.yaml").read_text()
        self.data = yaml.safe_load(self.text)
        (self.file,) = self.data["write_files"]
        self.values = dict(line.split("=", 1) for line in self.file["content"].splitlines())

    def test_it_is_what_cloud_init_reads(self):
        self.assertEqual(self.text.splitlines()[0], "#cloud-config")
        self.assertLessEqual(len(self.text.encode()), 16 * 1024, "clouds take no more")
        self.assertLessEqual(set(self.data), CLOUD_KEYS)
        for user in self.data["users"]:
            if user != "default":
                self.assertLessEqual(set(user), USER_KEYS)
        self.assertLessEqual(set(self.file), FILE_KEYS)
        for line in self.data["runcmd"]:
            self.assertIsInstance(line, str, "a colon makes a map of it")
        checked = run("sh", "-n", "-c", "\n".join(self.data["runcmd"]))
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))

    @unittest.skipIf(shutil.which("cloud-init") is None, "cloud-init is not here")
    def test_the_schema_of_cloud_init_takes_it(self):
        checked = run("cloud-init", "schema", "--config-file", DEPLOY / "cloud-init.yaml")
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_its_user_is_that_of_the_unit(self):
        (user,) = [user for user in self.data["users"] if user != "default"]
        self.assertEqual([user["name"]], unit("User"))
        self.assertEqual(user["homedir"], home_of_the_unit())
        made = re.search(r"useradd (.*)$", (DEPLOY / "install").read_text(), re.MULTILINE)[1]
        for word in (user["name"], user["homedir"], user["shell"], "--system", "--no-create-home"):
            self.assertIn(word, made)

    def test_the_guide_counts_the_values_right(self):
        self.assertEqual(len(self.values), 4)
        self.assertIn("four values", self.text)
        self.assertIn("four values", (DEPLOY / "README.md").read_text())

    def test_its_commands_install_a_node(self):
        with tempfile.TemporaryDirectory(prefix="ekiden-machine-") as folder:
            root = pathlib.Path(folder)
            programs = root / "programs"
            programs.mkdir()
            for name in [*self.data["packages"], "systemctl"]:
                program = programs / name
                program.write_text(f'#!/bin/sh\necho "{name} $*" >>"{root}/said"\n')
                program.chmod(0o755)
            written = root / self.file["path"].lstrip("/")
            written.parent.mkdir(parents=True)
            written.write_text(self.file["content"])
            script = "\n".join(self.data["runcmd"]).replace("/etc/ekiden", f"{root}/etc/ekiden")
            script = script.replace("/opt/ekiden/deploy/install", f"{DEPLOY}/install --root {root}")
            ended = run("sh", "-c", script, env={"PATH": f"{programs}:/usr/bin:/bin"})
            self.assertEqual(ended.returncode, 0, ended.stderr)
            self.assertEqual(ended.stderr, "")
            said = (root / "said").read_text().splitlines()
            self.assertEqual([line.split()[0] for line in said], ["git", "certbot", "systemctl"])
            git, certbot, systemctl = map(shlex.split, said)
            self.assertEqual(git[-2:], [self.values["EKIDEN_REPOSITORY"], "/opt/ekiden"])
            for option, value in (("-d", "EKIDEN_NAME"), ("-m", "EKIDEN_MAIL")):
                self.assertEqual(certbot[certbot.index(option) + 1], self.values[value])
            hook = pathlib.Path(certbot[certbot.index("--deploy-hook") + 1])
            self.assertTrue(hook.is_file() and os.access(hook, os.X_OK), f"{hook} is not what install made")
            self.assertEqual(hook.read_bytes(), (DEPLOY / "renewed").read_bytes())
            started = root / "etc/systemd/system" / f"{systemctl[-1]}.service"
            self.assertEqual(started.read_bytes(), (DEPLOY / "ekiden-bootstrap.service").read_bytes())
            environment = (root / "etc/ekiden/bootstrap.env").read_text()
            self.assertIn(f"tcp://{self.values['EKIDEN_ADDRESS']}:7420", environment)
            self.assertIn(f"wss://{self.values['EKIDEN_NAME']}:443", environment)
            for path in [*unit("EnvironmentFile"), *re.findall(r" (/etc/\S+)", unit("ExecStart")[0])]:
                self.assertTrue((root / path.lstrip("/")).parent.is_dir(), path)


class ContainerTest(unittest.TestCase):
    def setUp(self):
        text = (DEPLOY / "Containerfile").read_text()
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        joined = "\n".join(lines).replace("\\\n", " ")
        self.steps = [line.split(None, 1) for line in joined.splitlines() if line.strip()]
        last = max(i for i, (what, _) in enumerate(self.steps) if what == "FROM")
        self.build, self.image = self.steps[:last], self.steps[last:]

    def of(self, steps, what):
        return [words for step, words in steps if step == what]

    def test_it_is_made_of_known_instructions(self):
        self.assertLessEqual({what for what, _ in self.steps}, INSTRUCTIONS)
        self.assertEqual(self.steps[0][0], "FROM")
        for words in self.of(self.steps, "FROM"):
            self.assertRegex(words, r"^docker\.io/library/debian:12(-slim)?( AS \w+)?$", "a full name, and Debian 12")
        for words in self.of(self.steps, "RUN"):
            checked = run("sh", "-n", "-c", words)
            self.assertEqual((checked.returncode, checked.stderr), (0, ""))

    def test_what_it_builds_is_what_it_copies(self):
        self.assertEqual(self.of(self.build, "COPY"), [". ."])
        (place,) = self.of(self.build, "WORKDIR")
        (built,) = self.of(self.build, "RUN")
        setup, build = re.findall(r"scripts/[^&]*", built)
        for words in (setup.split(), build.split()):
            self.assertTrue(os.access(TREE / words[0], os.X_OK), words[0])
        self.assertEqual(run(TREE / "scripts/setup", "--list", *setup.split()[1:]).returncode, 0)
        preset, target = build.split()[1:]
        presets = json.loads((TREE / "CMakePresets.json").read_text())["buildPresets"]
        self.assertIn(preset, [known["name"] for known in presets])
        name = re.search(rf"{target} PROPERTIES OUTPUT_NAME (\w+)", (TREE / "CMakeLists.txt").read_text())[1]
        (copied,) = self.of(self.image, "COPY")
        stage, source, _ = copied.split()
        self.assertEqual(stage, "--from=" + self.of(self.build, "FROM")[0].split()[-1])
        self.assertEqual(source, f"{place}/build/{preset}/{name}")

    def test_it_may_read_the_certificate_of_the_guide(self):
        guide = (DEPLOY / "README.md").read_text()
        (number,) = re.findall(r"groupadd --system --gid (\d+) ekiden", guide)
        self.assertIn("install -d -m 0750 -g ekiden /etc/ekiden/tls", guide)
        (made,) = [words for words in self.of(self.image, "RUN") if "useradd" in words]
        self.assertIn(f"groupadd --system --gid {number} ekiden", made)
        self.assertRegex(made, rf"useradd --system --uid \d+ --gid {number} .* ekiden\b")

    def test_a_build_of_the_host_stays_out_of_it(self):
        self.assertIn("/build/", (TREE / ".containerignore").read_text().split())

    def test_it_has_the_libraries_that_the_program_needs(self):
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", BINARY).stdout))
        self.assertIn("libsqlite3.so.0", needed)
        owners = [line.split(": ") for line in run("dpkg", "-S", *needed).stdout.splitlines()]
        base = {"libc6", "libstdc++6", "libgcc-s1"}
        ours = [owner for owner, path in owners if "-linux-gnu/" in path and path.split("/")[-1] in needed]
        packages = {owner.split(":")[0] for owner in ours} - base
        (installed,) = self.of(self.image, "RUN")
        words = re.search(r"--no-install-recommends\s+([^&]*)", installed)[1].split()
        # A build with sanitizers has their allocator; the container has the release build.
        self.assertEqual(set(words) - {"ca-certificates"}, packages | {"libmimalloc2.0"})
        self.assertIn("ca-certificates", words)

    def test_its_user_is_not_root_and_owns_the_state(self):
        (user,) = self.of(self.image, "USER")
        (made,) = re.findall(r"useradd ([^&]*)", self.of(self.image, "RUN")[0])
        self.assertEqual(made.split()[-1], user)
        self.assertNotIn(user, ("root", "0"))
        self.assertEqual([user], unit("User"))
        home = home_of_the_unit()
        self.assertIn(f"--home-dir {home} ", made)
        self.assertEqual(self.of(self.image, "ENV"), [f"EKIDEN_HOME={home}"])
        self.assertEqual(self.of(self.image, "VOLUME"), [home])
        after = [what for what, _ in self.image[[what for what, _ in self.image].index("USER"):]]
        self.assertNotIn("RUN", after)
        self.assertTrue(BINARY and stat.S_IXOTH & os.stat(BINARY).st_mode, "another user could not run it")

    def test_its_ports_are_those_of_the_unit_and_of_the_guide(self):
        dialled = ports_that_others_dial()
        (exposed,) = self.of(self.image, "EXPOSE")
        guide = (DEPLOY / "README.md").read_text()
        (metrics,) = set(re.findall(r"http://127\.0\.0\.1:(\d+)/healthz", guide))
        self.assertEqual(set(exposed.split()), dialled | {f"{metrics}/tcp"})
        opened = guide[guide.index("open the ports"):].split("80/tcp")[0]
        self.assertEqual(set(re.findall(r"\d+/(?:tcp|udp)", opened)), dialled)

    def test_it_starts_what_the_program_knows(self):
        (entry,) = self.of(self.image, "ENTRYPOINT")
        program, *words = json.loads(entry)
        self.assertEqual(program, self.of(self.image, "COPY")[0].split()[-1])
        self.assertIn(" ".join([program, *words]), unit("ExecStart")[0], "as the unit does")
        self.assertEqual(self.of(self.image, "STOPSIGNAL"), ["SIGTERM"])
        known = command(*words, "--help").stdout
        guide = (DEPLOY / "README.md").read_text()
        options = re.search(r"podman run (.*?)\n\n", guide, re.DOTALL)[1].split(" ekiden --", 1)[1]
        for option in re.findall(r"--[a-z-]+", f"--{options}"):
            self.assertIn(option, known)
        (built,) = re.findall(r"-f (\S+) \.", guide)
        self.assertTrue((TREE / built).is_file())


if __name__ == "__main__":
    unittest.main()
