#!/usr/bin/python3
"""The ledger: two real nodes exchange messages, both are killed at random moments, every message is accounted for.

What is accounted for, and how, is in accounts.py. Example: ledger.py --messages 20000 --kills 100
"""

import argparse
import sys
import tempfile
import time

from accounts import Accounts, Side, add_options, show_logs


class Ledger(Accounts):
    def kill(self):
        for number in range(self.options.kills):
            self.wait_arrived((number + 1) * self.options.messages / (self.options.kills + 1))
            side = self.random.choice(self.sides)
            side.daemon.kill()
            self.pause(self.random.uniform(0, 0.1))
            side.start()
            if (number + 1) % 10 == 0:
                print(f"  {number + 1} kills, {self.arrived()} of {self.options.messages} messages arrived", flush=True)

    def play(self):
        alice, bob = self.sides
        for number in range(self.options.messages):
            self.to_send[self.sides[number % 2].name].put(number)
        try:
            for side in self.sides:
                side.start()
            alice.daemon.add_contact("bob", bob.daemon)
            bob.daemon.add_contact("alice", alice.daemon)
            self.run(self.kill)
        finally:
            for side in self.sides:
                side.daemon.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, messages=2_000, kills=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ekiden-ledger-") as directory:
        began = time.monotonic()
        ledger = Ledger(options, [Side(name, directory) for name in ("alice", "bob")])
        ledger.play()
        print(f"{options.messages} messages, {options.kills} kills, {ledger.arrived()} arrived, "
              f"{len(ledger.breaches)} rules broken, {time.monotonic() - began:.1f} s")
        if ledger.breaches:
            show_logs(ledger.sides)
    return 1 if ledger.breaches else 0


if __name__ == "__main__":
    sys.exit(main())
