"""The accounts of a ledger: applications on two real nodes send and take messages, whatever happens to the nodes.

A message counts as accepted when its POST was answered; a POST that a kill cut off, or that took too long, is repeated
under the same id. At the end:

  - everything accepted has arrived: nothing accepted is lost;
  - nothing arrived after its take was answered, and nothing twice between two starts: nothing is delivered twice;
  - everything that has a receipt has arrived: no receipt without delivery.

Receipts are read as they come. A node remembers the last 10,000 messages that are settled, so no more than WINDOW wait
for theirs at a time: whatever a kill hides of them can be asked for afterwards.
"""

import http.client
import json
import queue
import random
import threading
import uuid

from daemon import ApiError, Daemon
from events import Events

GONE = (OSError, http.client.HTTPException, json.JSONDecodeError)
AGAIN = (429, 503, 504, 507)  # not accepted or, after 504, perhaps not
WINDOW = 2_000
WRITERS = 8  # applications on a node


class Side:
    """A node and the application on it."""

    def __init__(self, name, directory):
        self.name = name
        self.daemon = Daemon(f"{directory}/{name}").init()
        self.flags = ()
        self.boot = 0                    # counts starts
        self.accepted = {}               # id -> body, by us
        self.receipted = set()           # ids
        self.arrived = {}                # id -> body
        self.arrived_in_boot = {}        # id -> boot
        self.taken = set()               # ids whose take was answered
        self.asked = set()               # ids whose take was asked for; of some a kill took the answer

    def start(self, *more_flags):
        self.boot += 1
        self.daemon.start(*self.flags, *more_flags)


class Accounts:
    def __init__(self, options, sides):
        self.options = options
        self.random = random.Random(options.seed)          # of what happens to the nodes
        self.random_texts = random.Random(options.seed)  # of messages, which threads make in any order
        self.sides = sides
        self.breaches = []
        self.over = threading.Event()
        self.to_send = {side.name: queue.SimpleQueue() for side in sides}  # numbers of messages
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
        while (number := self.to_send[side.name].get()) is not None:
            message_id = str(uuid.UUID(int=self.random_texts.getrandbits(128), version=4))
            body = f"{side.name} {number} " + "x" * self.random_texts.randrange(0, 512)
            request = {"to": self.other(side).name, "id": message_id, "body": body}
            self.wait_for_room(side)
            while not self.over.is_set():
                try:
                    api = self.api(side, api)
                    api.call("POST", "/v1/messages", request)
                    side.accepted[message_id] = body
                    break
                except ApiError as error:
                    if error.status not in AGAIN:
                        self.breach(f"{side.name} refused {message_id}: {error}")
                        return
                    self.pause(0.1)
                except GONE:
                    api = None

    def wait_for_room(self, side):
        with self.progress:
            while len(side.accepted) - len(side.receipted) >= WINDOW and not self.over.is_set():
                self.progress.wait(1)

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
                if error.status not in (404, *AGAIN):
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
        """Reads them as they come, and asks for those that came while nobody listened."""
        while not self.over.is_set():
            events = None
            try:
                events = Events(side.daemon.directory, "state")
                self.ask_for_receipts(side)
                while not self.over.is_set():
                    event = events.next(0.5)
                    if event is None:
                        self.ask_for_receipts(side)
                    elif event["state"] == "delivered":
                        self.note_receipt(side, event["id"])
            except GONE:
                self.pause(0.02)
            finally:
                if events is not None:
                    events.close()

    def ask_for_receipts(self, side):
        with side.daemon.api() as api:
            for message_id in [message for message in list(side.accepted) if message not in side.receipted]:
                if self.over.is_set():
                    return
                try:
                    if api.call("GET", f"/v1/messages/{message_id}")["state"] == "delivered":
                        self.note_receipt(side, message_id)
                except ApiError as error:
                    if error.status not in AGAIN:
                        self.breach(f"{side.name} does not know {message_id} any more: {error}")
                        side.receipted.add(message_id)

    def note_receipt(self, side, message_id):
        side.receipted.add(message_id)
        self.note_progress()

    def arrived(self):
        return sum(len(side.arrived) for side in self.sides)

    def wait_arrived(self, count):
        """The kills are spread over the messages, not over time; a little later each, so that any moment may be hit."""
        with self.progress:
            if not self.progress.wait_for(lambda: self.arrived() >= count, self.options.stall):
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

    def end_sending(self):
        for to_send in self.to_send.values():
            for _ in range(WRITERS):
                to_send.put(None)

    def run(self, kill):
        """Has sent what is in `to_send` and what `kill` adds to it, waits until all is settled, and checks."""
        senders = [threading.Thread(target=self.send, args=[side]) for side in self.sides for _ in range(WRITERS)]
        others = [threading.Thread(target=work, args=[side])
                  for side in self.sides for work in (self.receive, self.watch_receipts)]
        for thread in senders + others:
            thread.start()
        try:
            kill()
            self.end_sending()
            for thread in senders:
                thread.join()
            with self.progress:
                self.progress.wait_for(self.settled, self.options.stall)
            self.check()
        finally:
            self.over.set()
            self.end_sending()
            self.note_progress()
            for thread in senders + others:
                thread.join()


def add_options(parser, messages, kills):
    parser.add_argument("--messages", type=int, default=messages)
    parser.add_argument("--kills", type=int, default=kills)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stall", type=float, default=120, help="seconds without progress that count as a failure")


def show_logs(sides):
    for side in sides:
        print(f"--- the end of the log of {side.name}:\n{side.daemon.log_text()[-3000:]}")
