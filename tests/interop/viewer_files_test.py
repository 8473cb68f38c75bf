#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files dragged with the mouse out of another program's window onto the viewer's, for an agent that tells what it gets; windows
are managed by openbox."""

import os
import re

from desk import Desk
from peers import BUILD, Machine, Stage
from tap import Tap, check, check_equal, wait_for

tap = Tap()
stage = Stage()
desk = Desk(stage)
stage.start('openbox', ['openbox'], desk.env)
WHOLE_BYTES, SLOW_BYTES, SLOW_RATE = 3 << 20, 4 << 20, 50 << 10


def pretend(*words):
    """A machine of a server and an agent alone, and its address."""
    program = stage.start('pretend', [os.path.join(BUILD, 'tests', 'interop', 'pretend-machine'), *words])
    return program, wait_for(lambda: re.search(r'address (\S+)\n', program.log), 30, 'an address').group(1)


def place(window):
    """Left, top, width, height on the screen."""
    found = dict(re.findall(r'(\w+)=(-?\d+)', desk.xdotool('getwindowgeometry', '--shell', window)))
    return [int(found[key]) for key in ('X', 'Y', 'WIDTH', 'HEIGHT')]


def middle(window):
    left, top, width, height = place(window)
    return left + width // 2, top + height // 2


def hash_of(data):
    """FNV-1a of 64 bits, as the agent tells it."""
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 & (1 << 64) - 1
    return f'{value:016x}'


class Scene:
    """The viewer on a machine, and beside it a window that is full of a file."""

    def __init__(self, size, *words):
        self.data = os.urandom(size)
        path = stage.path('dropped')
        with open(path, 'wb') as file:
            file.write(self.data)
        self.machine, address = pretend(*words)
        self.viewer = desk.viewer('--auto-resize=never', address)
        self.source = stage.start('drag-source', [os.path.join(BUILD, 'tests', 'interop', 'drag-source'), path], desk.env)
        self.window, self.from_window = self.wait_window('^Pretend'), self.wait_window('^drag-source')
        desk.xdotool('windowsize', self.window, '900', '700')
        desk.xdotool('windowmove', self.window, '20', '60')
        desk.xdotool('windowmove', self.from_window, '1100', '20')
        wait_for(lambda: place(self.window)[0] < 100 and place(self.from_window)[0] > 1000 and
                 place(self.window)[2] < 1000, 30, 'windows side by side')
        desk.wait_still()

    @staticmethod
    def wait_window(name):
        return wait_for(lambda: desk.run('xdotool', 'search', '--onlyvisible', '--name', name).out.split(), 30, name)[-1]

    def drag(self):
        (x, y), (to_x, to_y) = middle(self.from_window), middle(self.window)
        desk.xdotool('mousemove', str(x), str(y), 'mousedown', '1')
        for step in range(1, 11):
            desk.xdotool('mousemove', str(x + (to_x - x) * step // 10), str(y + (to_y - y) * step // 10), 'sleep', '0.05')
        # Whoever asks what is dragged has to be answered before the button goes up.
        desk.xdotool('sleep', '1', 'mouseup', '1')

    def drop(self):
        """A mouse is quicker than a busy machine, which may miss what it does. Returns the number of the file, and its size."""
        Machine.insist(self.drag, lambda: 'begins' in self.machine.log, 'a file that is sent', 5)
        found = re.search(r'begins (\d+) dropped (\d+)\n', self.machine.log)
        check(found, self.machine.log)
        return found[1], int(found[2])

    def stop(self):
        check(self.viewer.is_running, self.viewer.log)
        check('CRITICAL' not in self.viewer.log, self.viewer.log)
        for program in self.viewer, self.source, self.machine:
            program.stop()


@tap.test('a file that is dropped onto the picture is sent whole')
def _():
    scene = Scene(WHOLE_BYTES)
    before = desk.wait_still()
    number, size = scene.drop()
    check_equal(size, WHOLE_BYTES, 'the size it is announced with')
    wait_for(lambda: 'whole' in scene.machine.log, 60, 'the end of the file')
    found = re.search(rf'whole {number} (\d+) (\w+)\n', scene.machine.log)
    check(found, scene.machine.log)
    check_equal((int(found[1]), found[2]), (WHOLE_BYTES, hash_of(scene.data)), 'what has come')
    x, y = middle(scene.from_window)
    desk.xdotool('mousemove', str(x), str(y))
    # The card is gone, and no message has come instead.
    left, top, width, height = place(scene.window)
    part = [(left + width // 2 - 100 + i * 10, top + height - 60) for i in range(20)]
    wait_for(lambda: pixels(desk.look(), part) == pixels(before, part), 30, 'the picture without a card')
    scene.stop()


def pixels(picture, places):
    return [picture.rgb[(y * picture.width + x) * 3:][:3] for x, y in places]


@tap.test('a file on its way shows how far it is, and is broken off by a key')
def _():
    scene = Scene(SLOW_BYTES, f'rate={SLOW_RATE}')
    before = desk.wait_still()
    number, _ = scene.drop()
    left, top, width, height = place(scene.window)
    part = [(left + width // 2 - 100 + i * 10, top + height - 60) for i in range(20)]
    wait_for(lambda: pixels(desk.look(), part) != pixels(before, part), 30, 'a card over the picture')
    check('whole' not in scene.machine.log, 'the file came too fast')
    desk.xdotool('windowactivate', scene.window)
    Machine.insist(lambda: (desk.xdotool('key', 'Control_L+Alt_L'), desk.xdotool('key', 'alt+c')),
                   lambda: 'ended' in scene.machine.log, 'a file that is broken off', 5)
    found = re.search(rf'ended {number} (\d+)\n', scene.machine.log)
    check(found and int(found[1]) < SLOW_BYTES, scene.machine.log)
    wait_for(lambda: pixels(desk.look(), part) == pixels(before, part), 30, 'the picture without a card')
    scene.stop()


with stage:
    tap.main()
