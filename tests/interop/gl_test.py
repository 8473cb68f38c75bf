# SPDX-License-Identifier: MIT
"""A machine that draws with a graphics card: everybody sees its buffer, near by and far away, whichever way its rows lie."""

import json
import os
import sys

from peers import BUILD, SERVER_FOLDER, Stage, free_port
from pictures import Picture
from tap import Tap, check, check_equal, wait_for

FRAMES = 60

tap = Tap()
stage = Stage()


class Host:
    """bench-gl on our library."""

    def __init__(self, *options, unix=False):
        self.dump = stage.path(f'buffer{len(stage.processes)}.ppm')
        if unix:
            path = stage.path(f'gl{len(stage.processes)}.spice')
            where, self.uri = ['--unix', path], f'spice+unix://{path}'
        else:
            port = free_port()
            where, self.uri = ['--port', str(port)], f'spice://127.0.0.1:{port}'
        self.process = stage.start('gl', [os.path.join(BUILD, 'bench', 'bench-gl'), *where, '--frames', str(FRAMES),
                                          '--dump', self.dump, *options], {'LD_LIBRARY_PATH': SERVER_FOLDER})
        wait_for(lambda: 'ready' in self.process.log or not self.process.is_running, 20, 'bench-gl')
        check(self.process.is_running, f'bench-gl ended: {self.process.log}')

    def wait_end(self):
        wait_for(lambda: '"draws"' in self.process.log, 60, 'the last draw')
        return Picture.load(self.dump)

    def figures(self):
        return json.loads([line for line in self.process.log.splitlines() if line.startswith('{')][-1])


def watch(uri, name):
    """sumac, from before the first change until nothing changes."""
    path = stage.path(name)
    return path, stage.start('sumac', [os.path.join(BUILD, 'cli', 'sumac'), 'screenshot', '--settle', '1500ms',
                                       '--settle-limit', '40s', '--tolerance', '0', '--timeout', '60s', uri, path])


def check_seen(expected, picture, result):
    check(picture, f'no picture: {result}')
    check_equal(expected.differences(picture), None, 'the picture')


def see(host, name):
    path, process = watch(host.uri, name)
    expected = host.wait_end()
    process.wait(70)
    check_seen(expected, Picture.load(path) if os.path.exists(path) else None, process.log)
    return expected


@tap.test('sumac and spicy-screenshot see the buffer over TCP, also while it changes and when they come late', attempts=3)
def _():
    host = Host()
    expected = see(host, 'far.png')
    check(expected.colours() > 1000, 'the picture is blank')
    check_equal(host.figures()['draws'], FRAMES)
    for take in stage.sumac_screenshot, stage.spicy_screenshot:
        check_seen(expected, *take(host.uri))
    host.process.stop()


@tap.test('a buffer whose last row is the top one is the right way up', attempts=3)
def _():
    host = Host('--bottom-first', '--size', '333x217')
    see(host, 'flipped.png')
    host.process.stop()


@tap.test('over a unix socket sumac gets the buffer itself', attempts=3)
def _():
    host = Host(unix=True)
    expected = see(host, 'near.png')
    check_seen(expected, *stage.sumac_screenshot(host.uri))
    host.process.stop()


with stage:
    status = tap.run(*sys.argv[1:2])
sys.exit(status)
