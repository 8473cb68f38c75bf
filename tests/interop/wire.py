# SPDX-License-Identifier: MIT
"""A SPICE client of a few lines that can stop anywhere: for connections that die in the middle. Source: docs/wire/link.md."""

import os
import socket
import struct
import subprocess
import threading

from tap import PATIENCE

MAIN, DISPLAY, INPUTS, CURSOR = 1, 2, 3, 4
MAIN_INIT, MAIN_ATTACH_CHANNELS = 103, 104
DISPLAY_INIT = 101
CURSOR_INIT, CURSOR_SET = 101, 103
CURSOR_NONE, CURSOR_CACHE_ME, CURSOR_FROM_CACHE = 1, 2, 4
SET_ACK, ACK_SYNC, ACK, PING, PONG = 3, 1, 2, 4, 3
AUTH_SELECTION_AND_MINI_HEADER = 0b1001
TICKET_MECHANISM = 1


class RawChannel:
    """One connection. Each step of the link phase is a method; link() goes through all of them."""

    def __init__(self, address, kind, connection_id=0, channel_id=0, capabilities=(), source=None):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.settimeout(20 * PATIENCE)
        self.window = self.unacknowledged = 0
        self.is_watched = False  # by keep_alive()
        self.begun = b''  # of what receive() was asked for when time was over
        if source:
            self.socket.bind(source)
        self.socket.connect(address)
        common = [AUTH_SELECTION_AND_MINI_HEADER]
        words = [*common, *capabilities]
        self.message = struct.pack('<IBBIII', connection_id, kind, channel_id, len(common), len(capabilities), 18)
        self.message += struct.pack(f'<{len(words)}I', *words)
        self.header = struct.pack('<4sIII', b'REDQ', 2, 2, len(self.message))

    def send(self, data):
        self.socket.sendall(data)

    def receive(self, size, leaves=False):
        """Exactly `size` bytes; they stay for the next call if it `leaves` them, or if time is over before all have come."""
        while len(self.begun) < size:
            part = self.socket.recv(size - len(self.begun))
            if not part:
                raise EOFError(f'the server closed after {len(self.begun)} of {size} bytes')
            self.begun += part
        data = self.begun[:size]
        if not leaves:
            self.begun = self.begun[size:]
        return data

    def read_reply(self):
        """Reads the link reply; returns its error code and keeps the key."""
        size = struct.unpack('<12xI', self.receive(16))[0]
        body = self.receive(size)
        self.key = body[4:166]
        return struct.unpack_from('<I', body)[0]

    def send_ticket(self, password=''):
        # openssl reads the key from a file; a pipe will do
        made = subprocess.run(['openssl', 'pkeyutl', '-encrypt', '-pubin', '-keyform', 'DER', '-inkey', '/dev/stdin',
                               '-pkeyopt', 'rsa_padding_mode:oaep', '-in', '/dev/fd/%d' % _pipe(password)],
                              input=self.key, stdout=subprocess.PIPE, check=True, close_fds=False)
        self.send(struct.pack('<I', TICKET_MECHANISM) + made.stdout)

    def read_result(self):
        return struct.unpack('<I', self.receive(4))[0]

    def link(self, password=''):
        """The whole link phase; returns the result word."""
        self.send(self.header + self.message)
        error = self.read_reply()
        if error:
            return error
        self.send_ticket(password)
        return self.read_result()

    def next_message(self):
        """Reads one message with a mini header: (type, body)."""
        kind, size = struct.unpack('<HI', self.receive(6, leaves=True))
        return kind, self.receive(6 + size)[6:]

    def acknowledge(self, kind, body):
        """Tells of a message that has come what the server waits for: a window that is used up stops it."""
        if kind == SET_ACK:
            self.window, self.unacknowledged = struct.unpack_from('<I', body, 4)[0], 0
            self.send_message(ACK_SYNC, body[:4])
            return
        if kind == PING:
            self.send_message(PONG, body[:12])
        self.unacknowledged += 1
        if self.window and self.unacknowledged >= self.window:
            self.send_message(ACK)
            self.unacknowledged = 0

    def send_message(self, kind, body=b''):
        self.send(struct.pack('<HI', kind, len(body)) + body)

    def close(self, abruptly=False):
        """Closes; `abruptly` by a reset, as when a machine is switched off."""
        if abruptly:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        elif self.is_watched:  # whoever waits there keeps it open otherwise
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def _pipe(text):
    reader, writer = os.pipe()
    os.set_inheritable(reader, True)
    os.write(writer, text.encode() + b'\0')
    os.close(writer)
    return reader


def open_main(address):
    """Links a main channel and attaches; returns (channel, session id)."""
    main = RawChannel(address, MAIN)
    result = main.link()
    if result:
        raise AssertionError(f'link result {result}')
    while True:
        kind, body = main.next_message()
        if kind == MAIN_INIT:
            break
    main.send_message(MAIN_ATTACH_CHANNELS)
    return main, struct.unpack_from('<I', body)[0]


def keep_alive(channel):
    """Answers what a server asks on a channel that nobody else reads: one that is silent for long counts as dead."""
    channel.is_watched = True

    def run():
        try:
            while True:
                try:
                    channel.acknowledge(*channel.next_message())
                except TimeoutError:
                    pass
        except (OSError, EOFError):
            pass
    threading.Thread(target=run, daemon=True).start()


def open_display(address, session_id):
    """Links the first display channel of a session, so that pictures start to flow."""
    display = RawChannel(address, DISPLAY, session_id)
    result = display.link()
    if result:
        raise AssertionError(f'link result {result}')
    display.send_message(DISPLAY_INIT, struct.pack('<BqBi', 1, 1 << 20, 1, 1 << 20))
    return display


class Shape:
    """A pointer's shape, as CURSOR_INIT and CURSOR_SET carry it."""

    def __init__(self, width, height, hot_x, hot_y, data):
        self.width, self.height, self.hot_x, self.hot_y, self.data = width, height, hot_x, hot_y, data


def last_shape(cursor, known, quiet_s=2):
    """Reads a cursor channel until it is quiet; returns the last shape, None if there was none. `known` is the cache of
    shapes, which lives as long as the channel. Source: docs/wire/cursor.md."""
    shape = None
    cursor.socket.settimeout(quiet_s)
    while True:
        try:
            kind, body = cursor.next_message()
        except TimeoutError:
            return shape
        cursor.acknowledge(kind, body)
        if kind not in (CURSOR_INIT, CURSOR_SET):
            continue
        at = 9 if kind == CURSOR_INIT else 5
        flags = struct.unpack_from('<H', body, at)[0]
        if flags & CURSOR_NONE:
            continue
        unique, _, width, height, hot_x, hot_y = struct.unpack_from('<QBHHHH', body, at + 2)
        if flags & CURSOR_FROM_CACHE:
            shape = known[unique]
            continue
        shape = Shape(width, height, hot_x, hot_y, body[at + 19:])
        if flags & CURSOR_CACHE_ME:
            known[unique] = shape
