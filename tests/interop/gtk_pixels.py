#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A client of the reference (SpiceClientGLib, without a window) that presses a key KEYS times, waits each time until as
many pixels as the screen has were drawn and nothing more came for a while, and prints the SHA-256 of the screen's pixels.

usage: gtk_pixels.py PORT KEYS   (the system's Python, which has the bindings)
"""

import ctypes
import hashlib
import sys

import gi

gi.require_version('SpiceClientGLib', '2.0')
from gi.repository import GLib, GObject, SpiceClientGLib  # noqa: E402

QUIET_MS, PATIENCE_S = 400, 150
KEY_A = 0x1E


def on(channel, name, handler):  # Channel.connect() means something else
    GObject.Object.connect(channel, name, handler)


class Client:
    def __init__(self, port, keys):
        self.loop = GLib.MainLoop()
        self.keys, self.pressed, self.drawn, self.timer = keys, 0, 0, 0
        self.inputs = self.screen = None
        self.session = SpiceClientGLib.Session(host='127.0.0.1', port=port)
        on(self.session, 'channel-new', self.channel_came)

    def run(self):
        self.session.connect()
        GLib.timeout_add_seconds(PATIENCE_S, self.loop.quit)
        self.loop.run()
        return 0 if self.pressed > self.keys else 1

    def channel_came(self, _session, channel):
        if isinstance(channel, SpiceClientGLib.InputsChannel):
            self.inputs = channel
        elif isinstance(channel, SpiceClientGLib.DisplayChannel):
            on(channel, 'display-primary-create', self.primary_came)
            on(channel, 'display-invalidate', self.pixels_changed)
        else:
            return
        channel.connect()

    def primary_came(self, _channel, _format, width, height, stride, _shared, data):
        self.screen = (data, width, height, stride)
        self.wait()

    def pixels_changed(self, _channel, _x, _y, width, height):
        self.drawn += width * height
        if self.drawn >= self.screen[1] * self.screen[2] or self.pressed == 0:
            self.wait()

    def wait(self):
        if self.timer:
            GLib.source_remove(self.timer)
        self.timer = GLib.timeout_add(QUIET_MS, self.settled)

    def settled(self):
        self.timer = 0
        if self.inputs is None:
            return True
        if self.pressed > 0:
            data, _, height, stride = self.screen
            print(hashlib.sha256(ctypes.string_at(data, height * stride)).hexdigest(), flush=True)
        self.pressed += 1
        self.drawn = 0
        if self.pressed > self.keys:
            self.loop.quit()
        else:
            self.inputs.key_press(KEY_A)
            self.inputs.key_release(KEY_A)
        return False


if __name__ == '__main__':
    sys.exit(Client(sys.argv[1], int(sys.argv[2])).run())
