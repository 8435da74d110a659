"""A router that forwards ports when it is asked over NAT-PMP (RFC 6886): a program for a namespace of its own.

    home_router.py INSIDE OUTSIDE PEER

Requests come to port 5351 of its address INSIDE. A TCP port that it maps is the one after it at its address OUTSIDE; it
says that it forwards UDP too, and does not. What connects to INSIDE, port 7420, comes out at PEER, port 7420, from
OUTSIDE: as the translation of addresses of such a router, for the one peer that there is.

Each request is a line of its output, {"map": protocol or null, "port": ..., "seconds": ..., "granted": ...}. The line
"refuse" in its input makes it refuse from then on, and forget what it mapped.
"""

import json
import socket
import struct
import sys
import threading

NATPMP_PORT, NODE_PORT = 5351, 7420
GRANTED_S = 2  # Not what is asked for: so that it is asked for again soon.
REFUSED = 2  # "Not Authorized/Refused"


def carry(source, sink):
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def forward(listening, target, source=""):
    """Until the listening socket is shut down."""
    while True:
        try:
            near, _ = listening.accept()
        except OSError:
            return
        try:
            far = socket.create_connection(target, source_address=(source, 0))
        except OSError:
            near.close()
            continue
        for ends in ((near, far), (far, near)):
            threading.Thread(target=carry, args=ends, daemon=True).start()


class Router:
    def __init__(self, inside, outside, peer):
        self.outside = outside
        self.refuses = False
        self.mapped = {}
        self.requests = socket.socket(type=socket.SOCK_DGRAM)
        self.requests.bind((inside, NATPMP_PORT))
        listening = socket.create_server((inside, NODE_PORT))
        threading.Thread(target=forward, args=(listening, (peer, NODE_PORT), outside), daemon=True).start()

    def serve(self):
        while True:
            request, source = self.requests.recvfrom(64)
            if len(request) == 2:
                said = {"map": None}
                body = socket.inet_aton(self.outside)
            else:
                _, kind, _, port, _, seconds = struct.unpack("!BBHHHI", request)
                said = {"map": {1: "udp", 2: "tcp"}[kind], "port": port, "seconds": seconds}
                if said["map"] == "tcp" and not self.refuses:
                    self.map(port, (source[0], port), seconds > 0)
                body = struct.pack("!HHI", port, port + 1 if seconds else 0, GRANTED_S if seconds else 0)
            said["granted"] = not self.refuses
            head = struct.pack("!BBHI", 0, 128 + request[1], REFUSED if self.refuses else 0, 1)
            self.requests.sendto(head + body, source)
            print(json.dumps(said), flush=True)

    def map(self, port, target, is_wanted):
        if is_wanted and port not in self.mapped:
            self.mapped[port] = socket.create_server((self.outside, port + 1))
            threading.Thread(target=forward, args=(self.mapped[port], target), daemon=True).start()
        elif not is_wanted:
            self.forget(port)

    def forget(self, port):
        if listening := self.mapped.pop(port, None):
            listening.shutdown(socket.SHUT_RDWR)
            listening.close()

    def obey(self):
        for line in sys.stdin:
            self.refuses = line.strip() == "refuse"
            for port in list(self.mapped):
                self.forget(port)


if __name__ == "__main__":
    router = Router(*sys.argv[1:])
    threading.Thread(target=router.serve, daemon=True).start()
    print("ready", flush=True)
    router.obey()
