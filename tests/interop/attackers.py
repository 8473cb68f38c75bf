#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that mean harm, for tests and benches: each kind attacks a port for some seconds and prints what it got done as
an object of JSON. They come from 127.0.0.2, so that they are not their victims' address."""

import argparse
import json
import os
import random
import resource
import selectors
import socket
import struct
import sys
import time

from wire import CURSOR, DISPLAY, DISPLAY_INIT, INPUTS, MAIN, MAIN_INIT, PONG, RawChannel

FROM = ('127.0.0.2', 0)
HALF_OPEN, SLOW, BUSY = 1000, 200, 16
HELLO = struct.pack('<4sIII', b'REDQ', 2, 2, 22) + struct.pack('<IBBIIII', 0, MAIN, 0, 1, 0, 18, 9)
MOUSE_MODE_REQUEST, AGENT_START, AGENT_DATA = 105, 106, 107
KEY_MODIFIERS, MOUSE_MOTION, MOUSE_POSITION = 103, 111, 112
ACK, DISCONNECTING, FLUSH_MARK, MIGRATE_DATA, PREFERRED_COMPRESSION = 2, 6, 4, 5, 103


def connect(port):
    line = socket.socket()
    line.setblocking(False)
    line.bind(FROM)
    line.connect_ex(('127.0.0.1', port))
    return line


class Crowd:
    """Many connections at once; those the server closes are made again."""

    def __init__(self, options, size):
        self.options, self.size = options, size
        self.selector = selectors.DefaultSelector()
        self.counts = {'connections': 0, 'closed by the server': 0, 'most at once': 0}
        self.lines = {}

    def run(self, pause_s):
        ends = time.monotonic() + self.options.seconds
        while time.monotonic() < ends:
            while len(self.lines) < self.size:
                try:
                    line = connect(self.options.port)
                except OSError:
                    break  # no descriptor, or no port: a moment later
                self.counts['connections'] += 1
                self.lines[line] = 0
                self.selector.register(line, selectors.EVENT_READ)
            self.counts['most at once'] = max(self.counts['most at once'], len(self.lines))
            for key, _ in self.selector.select(pause_s):
                self.hear(key.fileobj)
            self.act()
        return self.counts

    def hear(self, line):
        try:
            data = line.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b''
        if not data:
            self.drop(line)

    def drop(self, line):
        if self.lines.pop(line, None) is not None:
            self.counts['closed by the server'] += 1
            self.selector.unregister(line)
            line.close()

    def act(self):
        """What the crowd does besides being there."""


class Slowloris(Crowd):
    """A byte of a good link message now and then."""

    def act(self):
        time.sleep(0.05)
        for line, at in list(self.lines.items()):
            try:
                line.send(HELLO[at % len(HELLO):at % len(HELLO) + 1])
                self.lines[line] = min(at + 1, len(HELLO) - 2)  # never the last one
            except BlockingIOError:
                pass
            except OSError:
                self.drop(line)


class Knockers(Crowd):
    """Link messages as fast as they go, and tickets that no key decrypts: what costs the server most before it knows
    anybody."""

    def act(self):
        for line in list(self.lines):
            try:
                if self.lines[line] == 0:
                    line.send(HELLO + struct.pack('<I', 1) + os.urandom(128))
                    self.lines[line] = 1
            except BlockingIOError:
                pass
            except OSError:
                self.drop(line)


def open_session(port):
    main = RawChannel(('127.0.0.1', port), MAIN, source=FROM)
    if main.link() != 0:
        raise EOFError('no session')
    while True:
        kind, body = main.next_message()
        if kind == MAIN_INIT:
            return main, struct.unpack_from('<I', body)[0]


def open_channel(port, kind, session):
    channel = RawChannel(('127.0.0.1', port), kind, session, source=FROM)
    if channel.link() != 0:
        raise EOFError('no channel')
    if kind == DISPLAY:
        channel.send_message(DISPLAY_INIT, struct.pack('<BqBi', 1, 1 << 20, 1, 1 << 20))
    return channel


def never_read(options):
    """Sessions that ask for pictures and do not take them."""
    counts = {'sessions': 0}
    kept = []
    for _ in range(4):
        main, session = open_session(options.port)
        kept += [main, open_channel(options.port, DISPLAY, session), open_channel(options.port, CURSOR, session),
                 open_channel(options.port, INPUTS, session)]
        counts['sessions'] += 1
    time.sleep(options.seconds)
    return counts


def message(kind, body=b''):
    return struct.pack('<HI', kind, len(body)) + body


# What may be said in any number, and what may not, by channel.
FLOODS = {
    'main': (MAIN, [message(MOUSE_MODE_REQUEST, struct.pack('<H', 1)), message(MOUSE_MODE_REQUEST, struct.pack('<H', 2)),
                    message(AGENT_START, struct.pack('<I', 0xffffffff)), message(PONG, bytes(12))]),
    'agent': (MAIN, [message(AGENT_START, struct.pack('<I', 1)), message(AGENT_DATA, bytes(2048))]),
    'inputs': (INPUTS, [message(MOUSE_MOTION, struct.pack('<iiH', 1, -1, 0)), message(KEY_MODIFIERS, bytes(2)),
                        message(MOUSE_POSITION, struct.pack('<IIHB', 1, 1, 0, 0))]),
    'display': (DISPLAY, [message(ACK), message(PREFERRED_COMPRESSION, b'\6'), message(PREFERRED_COMPRESSION, b'\1')]),
    'cursor': (CURSOR, [message(ACK), message(PONG, bytes(12))]),
    'migration': (MAIN, [message(FLUSH_MARK), message(MIGRATE_DATA, bytes(200)), message(DISCONNECTING, bytes(12))]),
    'garbage': (INPUTS, [message(1 + step, os.urandom(step)) for step in range(0, 120, 7)]),
}


def flood(options):
    """Messages of one channel as fast as they go and nothing read; when it is closed, a new one."""
    counts = {'bytes': 0, 'channels': 0, 'closed by the server': 0}
    kind, messages = FLOODS[options.kind]
    ends = time.monotonic() + options.seconds
    while time.monotonic() < ends:
        channel = None
        try:
            main, session = open_session(options.port)
            channel = main if kind == MAIN else open_channel(options.port, kind, session)
            counts['channels'] += 1
            channel.socket.settimeout(max(0.05, ends - time.monotonic()))
            while time.monotonic() < ends:
                data = b''.join(random.choices(messages, k=200))
                channel.send(data)
                counts['bytes'] += len(data)
        except TimeoutError:
            break  # it does not read on: nothing more to do
        except (OSError, EOFError):
            counts['closed by the server'] += channel is not None
    return counts


KINDS = {
    'half-open': lambda options: Crowd(options, HALF_OPEN).run(0.01),
    'slowloris': lambda options: Slowloris(options, SLOW).run(0),
    'knockers': lambda options: Knockers(options, BUSY).run(0.001),
    'unread': never_read,
    **{kind: flood for kind in FLOODS},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('kind', choices=KINDS)
    parser.add_argument('--port', type=int, required=True)
    parser.add_argument('--seconds', type=float, default=5)
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4 * HALF_OPEN), most))
    print('ready', flush=True)
    print(json.dumps(KINDS[options.kind](options)), flush=True)


if __name__ == '__main__':
    sys.exit(main())
