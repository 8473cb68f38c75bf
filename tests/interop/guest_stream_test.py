# SPDX-License-Identifier: MIT
"""A guest that encodes its own screen and sends it through the port org.spice-space.stream.0 of a real QEMU: the clients
show its frames and its cursor. The guest is a boot sector, so this takes seconds."""

import os
import re
import struct
import sys

from peers import Machine, Stage, boot_disk
from pictures import Picture
from tap import Tap, check, check_equal, wait_for

WIDTH, HEIGHT = 320, 240
FORMAT, DATA, CAPABILITIES, CURSOR_SET, CURSOR_MOVE = 2, 3, 1, 6, 7
MOTION_JPEG, ALPHA_CURSOR = 1, 0
CLIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'gtk_stream.py')
CURSOR = bytes((0x10, 0xa0, 0x10, 0xff)) * (24 * 16)  # the same bytes whichever colour comes first

tap = Tap()
stage = Stage()


def message(kind, body):
    return struct.pack('<BBHI', 1, 0, kind, len(body)) + body


def sectors(*messages):
    """Padded by a message that says nothing."""
    stream = b''.join(messages)
    rest = -(len(stream) + 8) % 512
    return stream + message(CAPABILITIES, bytes(rest))


def frame(number):
    """A picture with a bar that moves, as a JPEG."""
    source, target = stage.path(f'frame{number}.png'), stage.path(f'frame{number}.jpg')
    rgb = bytearray()
    for y in range(HEIGHT):
        for x in range(WIDTH):
            is_bar = x // 16 == number
            rgb += bytes((230, 60, 20) if is_bar else (x * 200 // WIDTH, y * 200 // HEIGHT, 90))
    Picture(WIDTH, HEIGHT, rgb).save(source)
    made = stage.run(['ffmpeg', '-v', 'error', '-y', '-i', source, '-pix_fmt', 'yuvj420p', '-q:v', '3', target])
    check(made.code == 0, f'ffmpeg: {made}')
    with open(target, 'rb') as file:
        return file.read()


def far(one, other):
    """How far two pictures are apart, on average, of 255."""
    check_equal(one.size, other.size, 'the size')
    return sum(abs(a - b) for a, b in zip(one.rgb, other.rgb)) / len(one.rgb)


_machine = None


def machine():
    global _machine
    if _machine is None:
        frames = [frame(number) for number in (3, 6, 9, 12)]
        size = struct.pack('<IIB3x', WIDTH, HEIGHT, MOTION_JPEG)
        cursor = struct.pack('<HHHHB3x', 24, 16, 5, 7, ALPHA_CURSOR) + CURSOR
        opening = sectors(message(FORMAT, size), *(message(DATA, data) for data in frames))
        repeated = sectors(message(FORMAT, size), message(CURSOR_SET, cursor),
                           message(CURSOR_MOVE, struct.pack('<ii', 100, 50)), *[message(DATA, frames[-1])] * 4)
        disk = boot_disk(stage, 'stream.S')
        with open(disk, 'r+b') as file:
            file.seek(506)
            file.write(struct.pack('<HH', len(opening) // 512, len(repeated) // 512))
            file.seek(512)
            file.write(opening + repeated)
        _machine = Machine(stage, vga=None, agent=False, disk=disk,
                           extra=['-chardev', 'spiceport,id=stream,name=org.spice-space.stream.0',
                                  '-device', 'isa-serial,chardev=stream,index=1'])
    return _machine


def distances(picture):
    """From the last frame and from the one before."""
    return [far(Picture.load(stage.path(f'frame{number}.png')), picture) for number in (12, 9)]


def check_last_frame(picture):
    last, before = distances(picture)
    check(last < 4, f'the picture is {last:.1f} of 255 away from the last frame')
    check(before > 2 * last, 'it is another frame')


@tap.test('sumac shows the frames, the first client and one that comes later')
def _():
    def shows_it():
        picture, result = stage.sumac_screenshot(machine().uri, '--settle', '4s', '--settle-limit', '4s')
        check(picture, f'no picture: {result}')
        return distances(picture)[0] < 4 and picture
    for _ in range(2):  # a busy guest may not have come to its last frame yet
        check_last_frame(wait_for(shows_it, 30, 'the last frame'))


@tap.test('the reference shows the frames, and the cursor')
def _():
    path = stage.path('reference.ppm')
    result = stage.run(['/usr/bin/python3', CLIENT, str(machine().port), path], timeout=90)
    check(result.code == 0, f'no picture or no cursor: {result}')
    check_last_frame(Picture.load(path))
    found = re.search(r'^cursor (\d+) (\d+) (\d+) (\d+) ([0-9a-f]+)$', result.out, re.M)
    check_equal([int(number) for number in found.groups()[:4]], [24, 16, 5, 7], 'the cursor')
    check_equal(bytes.fromhex(found.group(5)), CURSOR, "the cursor's pixels")
    check(machine().is_running, 'QEMU ended')


with stage:
    status = tap.run(*sys.argv[1:2])
sys.exit(status)
