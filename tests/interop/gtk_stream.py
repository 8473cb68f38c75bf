#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A client of the reference (SpiceClientGLib, without a window) that waits for a picture that is not black and for a
cursor, then writes the picture as a PPM and prints the cursor: its size, its hot spot and its bytes.

usage: gtk_stream.py PORT FILE.ppm   (the system's Python, which has the bindings)
"""

import ctypes
import sys

import gi

gi.require_version('SpiceClientGLib', '2.0')
from gi.repository import GLib, GObject, SpiceClientGLib  # noqa: E402

LOOK_MS, PATIENCE_S = 300, 160


def on(channel, name, handler):  # Channel.connect() means something else
    GObject.Object.connect(channel, name, handler)


class Client:
    def __init__(self, port, path):
        self.loop, self.path = GLib.MainLoop(), path
        self.screen = self.cursor = self.last = None
        self.is_done = False
        self.session = SpiceClientGLib.Session(host='127.0.0.1', port=port)
        on(self.session, 'channel-new', self.channel_came)

    def run(self):
        self.session.connect()
        GLib.timeout_add_seconds(PATIENCE_S, self.loop.quit)
        GLib.timeout_add(LOOK_MS, self.look)
        self.loop.run()
        return 0 if self.is_done else 1

    def channel_came(self, _session, channel):
        if isinstance(channel, SpiceClientGLib.DisplayChannel):
            on(channel, 'display-primary-create', self.primary_came)
        elif isinstance(channel, SpiceClientGLib.CursorChannel):
            on(channel, 'cursor-set', self.cursor_came)
        else:
            return
        channel.connect()

    def primary_came(self, _channel, _format, width, height, stride, _shared, data):
        self.screen = (data, width, height, stride)

    def cursor_came(self, _channel, width, height, hot_x, hot_y, rgba):
        self.cursor = (width, height, hot_x, hot_y, ctypes.string_at(rgba, width * height * 4).hex())

    def look(self):
        """Until it shows the same twice."""
        if self.screen is None or self.cursor is None:
            return True
        data, width, height, stride = self.screen
        picture = ctypes.string_at(data, height * stride)
        if not any(picture[i] for i in range(0, len(picture), 997) if i % 4 != 3) or picture != self.last:
            self.last = picture
            return True
        rgb = bytearray()
        for y in range(height):
            row = picture[y * stride:y * stride + width * 4]
            for x in range(0, width * 4, 4):
                rgb += bytes((row[x + 2], row[x + 1], row[x]))
        with open(self.path, 'wb') as file:
            file.write(b'P6\n%d %d\n255\n' % (width, height) + rgb)
        print('cursor', *self.cursor, flush=True)
        self.is_done = True
        self.loop.quit()
        return False


if __name__ == '__main__':
    sys.exit(Client(sys.argv[1], sys.argv[2]).run())
