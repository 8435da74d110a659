#!/usr/bin/python3
"""The ledger of five: a sender and a recipient that cannot dial each other, two relays, and a mailbox.

All are killed at random moments. Where the recipient stays away, its messages lie with three mailboxes, for the relays
are mailboxes as well; while the mailbox is down after a kill, bits are flipped where its store keeps them. Beside the
rules of accounts.py:

  - damage to bodies that the mailbox kept is found, told and counted, and ends no node;
  - the messages whose copies were damaged arrive from the other mailboxes: nothing of them is lost;
  - with --damage database, bits are flipped in the rest of the store: the mailbox does not start, says why and what to
    do, and begins anew with an empty store.

Example: ledger_five.py --messages 100000 --kills 300
"""

import argparse
import collections
import sys
import tempfile
import time

import damage
from accounts import WINDOW, Accounts, Side, add_options, show_logs
from daemon import wait_until

KINDS = ("contents", "structure")  # of damage to the bodies
SHARE = 0.2    # of the bodies that one damage of contents hits
ABSENCE = 4    # of so many turns of the kills one is an absence of the recipient
STORE = "ekiden.db"
KEPT = 200     # messages that the mailbox keeps before it is damaged, if there are so many; a sender leaves at most 256
RETRY_MAX = 5  # seconds after which a sender asks again for a receipt that a kill has lost
PATIENCE = 90  # seconds for what a node does by itself, such as finding its mailboxes


class Five(Accounts):
    def __init__(self, options, directory):
        self.nodes = [Side(name, directory) for name in ("relay0", "relay1", "mailbox", "sender", "recipient")]
        *self.third, self.sender, self.recipient = self.nodes
        self.mailbox = self.third[-1]
        super().__init__(options, [self.sender, self.recipient])
        self.fed = 0                          # messages given to the sender
        self.kills = 0
        self.killed = collections.Counter()
        self.damaged = collections.Counter()  # bits flipped, by kind
        self.hit = 0                          # live bodies with a flipped bit
        self.ways = collections.Counter()     # messages, by how they came
        self.refusals = 0                     # starts that a damaged store prevented
        self.found = 0                        # parcels that the mailbox told to be damaged, in runs that are over

    def configure(self, side):
        """The third nodes can be dialled; sender and recipient listen nowhere but for discovery."""
        daemon = side.daemon
        endpoints = (f'["{daemon.endpoint}", "udp://127.0.0.1:{daemon.port}"]' if side in self.third
                     else '["udp://127.0.0.1:0"]')
        settings = daemon.directory / "ekiden.toml"
        text = settings.read_text().replace(f'listen = ["{daemon.endpoint}"]', f"listen = {endpoints}")
        text = text.replace('private_network = "off"', 'private_network = "on"')
        settings.write_text(text.replace("retry_max_s = 600", f"retry_max_s = {RETRY_MAX}"))
        known = ",".join(f"{other.daemon.id}@{other.daemon.endpoint}" for other in self.third if other is not side)
        side.flags = ("--no-lan", "--bootstrap", known)

    def begin(self):
        for side in self.nodes:
            self.configure(side)
            side.start()
        for side in self.sides:
            side.daemon.know(self.other(side).name, self.other(side).daemon)
        for side in self.sides:
            wait_until(lambda: sum(own["up"] for own in self.kept_by(side)["own"]) == len(self.third), PATIENCE,
                       lambda: f"{side.daemon.log_text()}\n{side.name} has too few mailboxes")

    @staticmethod
    def kept_by(side):
        """What `ekiden mailbox status` shows."""
        with side.daemon.api() as api:
            return api.call("GET", "/v1/status")["mailbox"]

    def kill_one(self, side):
        if side is self.mailbox:
            self.found = self.told()
        side.daemon.kill()
        self.kills += 1
        self.killed[side.name] += 1

    def feed(self, kills):
        """Gives the sender the share of the messages that belongs to so many kills more."""
        self.feed_up_to(self.options.messages * min(self.kills + kills, self.options.kills) // self.options.kills)

    def feed_up_to(self, count):
        for number in range(self.fed, count):
            self.to_send[self.sender.name].put(number)
        self.fed = max(self.fed, count)

    def kill(self):
        turn = 0
        while self.kills < self.options.kills:
            turn += 1
            if turn % ABSENCE == 1 and self.options.kills - self.kills >= 4:
                self.absence(KINDS[turn // ABSENCE % len(KINDS)] if self.options.damage == "both"
                             else self.options.damage)
            else:
                self.passing_kill()
            if turn % 10 == 0:
                self.show_progress()
        self.feed_up_to(self.options.messages)

    def passing_kill(self):
        """Of any node, anywhere in the traffic; of what was sent before some may be under way still."""
        portion = self.options.messages // self.options.kills
        self.feed(1)
        self.wait_arrived(self.fed - self.random.randrange(2 * portion + 1))
        side = self.random.choice(self.nodes)
        self.kill_one(side)
        self.pause(self.random.uniform(0, 0.1))
        side.start()

    def absence(self, kind):
        """The recipient goes until the mailbox keeps its messages; the mailbox is killed and damaged meanwhile."""
        # What waits for a receipt takes the room of what would go to mailboxes.
        wait_until(lambda: len(self.sender.receipted) >= self.fed, self.options.stall, "there are not all receipts")
        self.kill_one(self.recipient)
        self.feed(3)
        wait_until(self.keeps_enough, PATIENCE, lambda: f"{self.kept_by(self.mailbox)}\nthe mailbox keeps too little")
        self.kill_one(self.mailbox)
        sender_goes, relay_goes = (self.random.random() < 0.5 for _ in range(2))
        if sender_goes:  # Neither waits for the other.
            self.kill_one(self.sender)
        self.do_damage(kind)
        self.start_mailbox(kind)
        if relay_goes:
            relay = self.random.choice(self.third[:-1])
            self.kill_one(relay)
            relay.start()
        self.recipient.start()
        if sender_goes:
            self.pause(self.random.uniform(0, 2))
            self.sender.start()

    def keeps_enough(self):
        return self.kept_by(self.mailbox)["used"]["messages"] >= min(KEPT, self.fed - self.arrived())

    def do_damage(self, kind):
        store = self.mailbox.daemon.directory / STORE
        if kind == "contents":
            flipped = damage.damage_contents(store, self.random, SHARE)
            self.hit += flipped
        elif kind == "structure":
            flipped = damage.damage_structure(store, self.random)
        else:
            flipped = damage.damage_database(store, self.random)
        self.damaged[kind] += flipped

    def start_mailbox(self, kind):
        daemon = self.mailbox.daemon
        logged = len(daemon.log_text())
        try:
            self.mailbox.start()
        except AssertionError:
            said = daemon.log_text()[logged:]
            if kind != "database" or daemon.process.poll() != 1:
                raise
            if STORE not in said or "restore the data directory from a backup" not in said:
                self.breach(f"the mailbox does not say what to do about its store: {said}")
            self.refusals += 1
            for file in daemon.directory.glob(f"{STORE}*"):
                file.unlink()
            self.mailbox.start("--new-store")

    def show_progress(self):
        print(f"  {self.kills} kills, {self.arrived()} of {self.options.messages} messages arrived, "
              f"{self.damaged.total()} bits flipped, {self.told()} parcels found damaged", flush=True)

    def told(self):
        """Parcels that the mailbox has told to be damaged, in this run and in those before."""
        return self.found + self.kept_by(self.mailbox)["counters"]["damaged"]

    def check(self):
        super().check()
        self.found = self.told()
        if self.hit > 0 and self.found == 0:
            self.breach(f"{self.hit} bodies in the store of the mailbox were damaged, and it told of none")
        if self.damaged["structure"] > 0 and self.mended() == 0:
            self.breach("the structure of the bodies was damaged, and the mailbox told of nothing")
        if self.options.kills >= 4 and self.damaged.total() == 0:
            self.breach("nothing was damaged: the mailbox kept nothing when it should have")
        self.ways = self.count_ways()
        for way, count in self.ways.items():
            if self.options.kills >= 4 and count == 0:
                self.breach(f"none of the last messages was {way}")

    def count_ways(self):
        """Of the last messages: how many came through relays, and how many were, to the sender, in mailboxes."""
        ways = collections.Counter()
        with self.sender.daemon.api() as api:
            for message_id in list(self.sender.accepted)[-WINDOW:]:
                message = api.call("GET", f"/v1/messages/{message_id}")
                ways["through relays"] += "path" in message
                ways["kept by mailboxes"] += "stored" in message
        return ways

    def mended(self):
        return self.mailbox.daemon.log_text().count("has been written anew")

    def play(self):
        try:
            self.begin()
            self.run(self.kill)
        finally:
            for side in self.nodes:
                side.daemon.ask_to_stop()
            for side in self.nodes:
                side.daemon.stop()


def listed(counts):
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, messages=1_500, kills=12)
    parser.add_argument("--damage", choices=[*KINDS, "both", "database"], default="both",
                        help="what is damaged in the mailbox")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ekiden-ledger-") as directory:
        began = time.monotonic()
        ledger = Five(options, directory)
        try:
            ledger.play()
        except Exception:
            show_logs(ledger.nodes)
            raise
        print(f"killed: {listed(ledger.killed)}; bits flipped: {listed(ledger.damaged)}; "
              f"{ledger.found} parcels found damaged, {ledger.mended()} stores mended, {ledger.refusals} refused; "
              f"of the last messages: {listed(ledger.ways)}")
        print(f"{options.messages} messages, {ledger.kills} kills, {ledger.arrived()} arrived, "
              f"{len(ledger.breaches)} rules broken, {time.monotonic() - began:.1f} s")
        if ledger.breaches:
            show_logs(ledger.nodes)
    return 1 if ledger.breaches else 0


if __name__ == "__main__":
    sys.exit(main())
