#!/usr/bin/python3
"""The ledger: two real nodes exchange messages, both are killed at random moments, every message is accounted for.

Applications on both sides send through the local API and take what arrives. A message counts as accepted when its
POST was answered; a POST that a kill cut off is repeated under the same id. At the end:

  - everything accepted has arrived: nothing accepted is lost;
  - nothing arrived after its take was answered, and nothing twice between two starts: nothing is delivered twice;
  - everything that has a receipt has arrived: no receipt without delivery.

Example: ledger.py --messages 20000 --kills 100
"""

import argparse
import collections
import http.client
import json
import queue
import random
import sys
import tempfile
import threading
import time
import uuid

from daemon import ApiError, Daemon

GONE = (OSError, http.client.HTTPException, json.JSONDecodeError, FileNotFoundError)


class Side:
    """A node and the application on it."""

    def __init__(self, name, directory):
        self.name = name
        self.daemon = Daemon(f"{directory}/{name}").init()
        self.boot = 0                    # counts starts
        self.accepted = {}               # id -> body, by us
        self.receipted = set()           # ids
        self.arrived = {}                # id -> body
        self.arrived_in_boot = {}        # id -> boot
        self.taken = set()               # ids whose take was answered
        self.asked = set()               # ids whose take was asked for; of some a kill took the answer

    def start(self):
        self.boot += 1
        self.daemon.start()


class Ledger:
    def __init__(self, options, directory):
        self.options = options
        self.random = random.Random(options.seed)
        self.sides = [Side("alice", directory), Side("bob", directory)]
        self.breaches = []
        self.done = threading.Event()    # nothing more will be sent
        self.over = threading.Event()
        self.to_send = {side.name: queue.SimpleQueue() for side in self.sides}
        self.lock = threading.Lock()
        self.progress = threading.Condition()  # told of arrivals and receipts

    def other(self, side):
        return self.sides[1 - self.sides.index(side)]

    def breach(self, what):
        with self.lock:
            self.breaches.append(what)
        print(f"BROKEN: {what}", flush=True)

    def pause(self, seconds):
        """Before asking a node again; ends at once when the run is over."""
        self.over.wait(seconds)

    def note_progress(self):
        with self.progress:
            self.progress.notify_all()

    def api(self, side, current):
        """A connection to the node as it runs now; waits while it is down."""
        while current is None and not self.over.is_set():
            try:
                current = side.daemon.api()
            except GONE:
                self.pause(0.02)
        return current

    def send(self, side):
        api = None
        while True:
            try:
                number = self.to_send[side.name].get_nowait()
            except queue.Empty:
                return
            message_id = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
            body = f"{side.name} {number} " + "x" * self.random.randrange(0, 512)
            request = {"to": self.other(side).name, "id": message_id, "body": body}
            while not self.over.is_set():
                try:
                    api = self.api(side, api)
                    api.call("POST", "/v1/messages", request)
                    side.accepted[message_id] = body
                    break
                except ApiError as error:
                    if error.status not in (429, 503, 507):
                        self.breach(f"{side.name} refused {message_id}: {error}")
                        return
                    self.pause(0.1)
                except GONE:
                    api = None

    def receive(self, side):
        api, after, boot = None, 0, 0
        while not self.over.is_set():
            try:
                api = self.api(side, api)
                if api is None:
                    return
                if boot != side.boot:
                    boot, after = side.boot, 0
                page = api.call("GET", f"/v1/inbox?after={after}&limit=200")["messages"]
                if boot != side.boot or not page:
                    self.pause(0.005)
                    continue
                for message in page:
                    self.note_arrival(side, boot, message)
                after = page[-1]["number"]
                side.asked.update(message["id"] for message in page)
                self.note_progress()
                api.call("POST", "/v1/inbox/take", {"numbers": [message["number"] for message in page]})
                for message in page:
                    side.taken.add(message["id"])
            except GONE:
                api = None
            except ApiError as error:
                if error.status != 404:
                    self.breach(f"{side.name} cannot take: {error}")

    def note_arrival(self, side, boot, message):
        message_id, body = message["id"], message.get("body", "")
        if message_id in side.taken:
            self.breach(f"{message_id} arrived at {side.name} again after it was taken")
        if side.arrived_in_boot.get(message_id) == boot:
            self.breach(f"{message_id} arrived at {side.name} twice in one run")
        if side.arrived.setdefault(message_id, body) != body:
            self.breach(f"{message_id} arrived at {side.name} with another body")
        side.arrived_in_boot[message_id] = boot

    def watch_receipts(self, side):
        """Asks for the state of what was accepted until it is delivered."""
        api = None
        waiting, known = collections.deque(), 0
        while not self.over.is_set():
            fresh = list(side.accepted)[known:]
            known += len(fresh)
            waiting.extend(fresh)
            for _ in range(len(waiting)):
                message_id = waiting.popleft()
                try:
                    api = self.api(side, api)
                    if api is None:
                        return
                    if api.call("GET", f"/v1/messages/{message_id}")["state"] == "delivered":
                        side.receipted.add(message_id)
                        self.note_progress()
                        continue
                except GONE:
                    api = None
                except ApiError as error:
                    self.breach(f"{side.name} does not know {message_id} any more: {error}")
                    continue
                waiting.append(message_id)
            self.pause(0.05)

    def kill(self):
        for number in range(self.options.kills):
            self.wait_progress((number + 1) / (self.options.kills + 1))
            side = self.random.choice(self.sides)
            side.daemon.kill()
            self.pause(self.random.uniform(0, 0.1))
            side.start()
            if (number + 1) % 10 == 0:
                print(f"  {number + 1} kills, {self.arrived()} of {self.options.messages} messages arrived", flush=True)

    def arrived(self):
        return sum(len(side.arrived) for side in self.sides)

    def wait_progress(self, share):
        """The kills are spread over the messages, not over time; a little later each, so that any moment may be hit."""
        with self.progress:
            if not self.progress.wait_for(lambda: self.arrived() >= share * self.options.messages, self.options.stall):
                raise AssertionError(f"no progress for {self.options.stall} s: {self.arrived()} messages arrived")
        self.pause(self.random.uniform(0, 0.02))

    def settled(self):
        # Counted first: this is asked at every step of progress.
        return all(len(side.accepted) <= len(side.receipted) for side in self.sides) and all(
            set(side.accepted) <= side.receipted & self.other(side).asked for side in self.sides)

    def check(self):
        for side in self.sides:
            receiver = self.other(side)
            for message_id, body in side.accepted.items():
                if message_id not in receiver.arrived:
                    self.breach(f"{message_id} was accepted by {side.name} and is lost")
                elif receiver.arrived[message_id] != body:
                    self.breach(f"{message_id} arrived with another body")
                if message_id not in side.receipted:
                    self.breach(f"{message_id} has no receipt")
            for message_id in side.receipted:
                if message_id not in receiver.arrived:
                    self.breach(f"{message_id} has a receipt and did not arrive")
            for message_id in receiver.arrived:
                if message_id not in side.accepted:
                    self.breach(f"{message_id} arrived at {receiver.name} and was not sent")

    def run(self):
        alice, bob = self.sides
        for side in self.sides:
            side.start()
        alice.daemon.add_contact("bob", bob.daemon)
        bob.daemon.add_contact("alice", alice.daemon)
        for number in range(self.options.messages):
            self.to_send[self.sides[number % 2].name].put(number)
        senders = [threading.Thread(target=self.send, args=[side]) for side in self.sides for _ in range(8)]
        others = [threading.Thread(target=work, args=[side])
                  for side in self.sides for work in (self.receive, self.watch_receipts)]
        for thread in senders + others:
            thread.start()
        try:
            self.kill()
            for thread in senders:
                thread.join()
            with self.progress:
                self.progress.wait_for(self.settled, self.options.stall)
            self.check()
        finally:
            self.over.set()
            for thread in senders + others:
                thread.join()
            for side in self.sides:
                side.daemon.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stall", type=float, default=60, help="seconds without progress that count as a failure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ekiden-ledger-") as directory:
        began = time.monotonic()
        ledger = Ledger(options, directory)
        ledger.run()
        print(f"{options.messages} messages, {options.kills} kills, {ledger.arrived()} arrived, "
              f"{len(ledger.breaches)} rules broken, {time.monotonic() - began:.1f} s")
        if ledger.breaches:
            for side in ledger.sides:
                print(f"--- the end of the log of {side.name}:\n{side.daemon.log_text()[-3000:]}")
    return 1 if ledger.breaches else 0


if __name__ == "__main__":
    sys.exit(main())
