# SPDX-License-Identifier: MIT
"""Recorded desktops: what clients of every kind show after one is what the server itself holds, with every compression,
near and far; and recordings that we write are played by the reference, and theirs by us."""

import functools
import lzma
import os
import re
import shutil
import sys

from peers import BUILD, Machine, ROOT, SERVER_FOLDER, Stage, free_port
from pictures import Picture
from tap import Tap, check, check_equal, note, wait_for

COMPRESSIONS = {'off': 1, 'auto_glz': 2, 'auto_lz': 3, 'quic': 4, 'glz': 5, 'lz': 6, 'lz4': 7}
LIBRARIES = {'ours': SERVER_FOLDER, 'reference': '/usr/lib/x86_64-linux-gnu'}
# Seconds from which a recording is played at its own pace, and where it is cut: some two seconds of action.
CUTS = {'text-scroll': (50, 2600), 'windows-move': (55.8, 1900)}
LINES = {'near': None, '60 ms and 20 Mbit/s away': ('60', '20'), '100 ms and 4 Mbit/s away': ('100', '4')}
SETTLE = '--settle', '1500ms', '--settle-limit', '60s', '--tolerance', '0', '--timeout', '100s'
DESTROY_SURFACES, CREATE_PRIMARY, DESTROY_PRIMARY, CREATE_PRIMARY_ASYNC = 19, 20, 21, 29

tap = Tap()
stage = Stage()


def bench(name):
    return os.path.join(BUILD, 'bench', 'bench-' + name)


def recording(name):
    path = stage.path(name + '.rec')
    if not os.path.exists(path):
        with lzma.open(os.path.join(ROOT, 'bench', 'recordings', name + '.rec.xz')) as packed, open(path, 'wb') as raw:
            shutil.copyfileobj(packed, raw, 1 << 20)
    return path


class Replay:
    """A recording on a server library."""

    def __init__(self, server, path, *options, env=None):
        self.port = free_port()
        self.uri = f'spice://127.0.0.1:{self.port}'
        self.process = stage.start('replay', [bench('replay'), '--port', str(self.port), *options, path],
                                   {'LD_LIBRARY_PATH': LIBRARIES[server], 'SPICE_DEBUG_ALLOW_MC': '1', **(env or {})})
        wait_for(lambda: 'ready' in self.process.log or not self.process.is_running, 20, 'bench-replay')
        check(self.process.is_running, f'bench-replay ended: {self.process.log}')

    def wait_end(self):
        wait_for(lambda: '"commands"' in self.process.log, 60, 'the end of the recording')

    def stop(self):
        self.process.stop()


class Viewer:
    """sumac, looking until the picture stands still."""

    def __init__(self, uri):
        self.path = f'{stage.folder}/viewer{len(stage.processes)}.png'
        self.process = stage.start('sumac', [os.path.join(BUILD, 'cli', 'sumac'), 'screenshot', *SETTLE, uri, self.path])

    def picture(self):
        self.process.wait(100)
        check(os.path.exists(self.path), f'sumac took no picture: {self.process.log}')
        return load_once(self.path)


pictures = {}


def load_once(path):
    """Equal files are unpacked once: that is what takes the time here."""
    with open(path, 'rb') as file:
        content = file.read()
    if content not in pictures:
        pictures[content] = Picture.load(path)
    return pictures[content]


def end_of_line(port, where):
    """What is between the server and its clients, and the address there."""
    if not LINES[where]:
        return None, f'spice://127.0.0.1:{port}'
    near = free_port()
    round_trip, rate = LINES[where]
    line = stage.start('line', [bench('line'), '--listen', str(near), '--to', str(port), '--rtt', round_trip, '--mbit',
                                rate])
    wait_for(lambda: 'ready' in line.log, 20, 'bench-line')
    return line, f'spice://127.0.0.1:{near}'


@functools.cache
def their_picture(path, limit):
    """What the reference's own surface holds after so many commands."""
    dump = stage.path('reference.ppm')
    replay = Replay('reference', path, '--no-wait', '--in-step', '--limit', str(limit), '--dump', dump)
    replay.wait_end()
    replay.stop()
    return Picture.load(dump)


def add_pictures(name, compression, where):
    # A client that is given nothing for long takes that for the end.
    @tap.test(f'{name}, {compression}, {where}: one client, one that joined in the middle, three at the end', attempts=2)
    def _():
        start, limit = CUTS[name]
        dump = stage.path('dump.ppm')
        replay = Replay('ours', recording(name), '--compression', str(COMPRESSIONS[compression]), '--pace', '--from',
                        str(start), '--limit', str(limit), '--dump', dump, '--delay', '0.5')
        line, uri = end_of_line(replay.port, where)
        viewers = {'from the beginning': Viewer(uri)}
        wait_for(lambda: 'paced' in replay.process.log, 60, 'the part that is played at its pace')
        if '"commands"' in replay.process.log:
            note('a busy machine: the recording was over before the second client came')
        viewers['from the middle'] = Viewer(uri)
        replay.wait_end()
        viewers['at the end'] = Viewer(uri)
        truth = Picture.load(dump)
        check_equal(truth.differences(their_picture(recording(name), limit)), None, "our surface and the reference's")
        for which, viewer in viewers.items():
            check_equal(viewer.picture().differences(truth), None, f'sumac {which} and the surface')
        theirs, result = stage.spicy_screenshot(uri)
        check(theirs, f'spicy-screenshot: {result}')
        check_equal(theirs.differences(truth), None, 'spicy-screenshot and the surface')
        check(replay.process.is_running, 'the host ended')
        replay.stop()
        if line:
            line.stop()


for one in COMPRESSIONS:
    add_pictures('text-scroll', one, 'near')
    add_pictures('windows-move', one, '60 ms and 20 Mbit/s away')
for recorded in CUTS:
    add_pictures(recorded, 'auto_glz', '100 ms and 4 Mbit/s away')


# ---- Recordings that we write ----

def events(path):
    """[(what, type, body)] of commands and of the requests that a player carries out."""
    with open(path, 'rb') as file:
        data = file.read()
    at, found = data.index(b'\n') + 1, []
    while at < len(data):
        end = data.find(b'\n', at)
        if data.startswith(b'binary 0 ', at):
            colon = data.index(b':', at)
            end = colon + 1 + int(data[at:colon].split()[-1])
            found[-1][2].append(data[at:end])
        elif data.startswith(b'event ', at):
            _, _, what, kind, _ = data[at:end].split()
            found.append((int(what), int(kind), []))
        else:
            found[-1][2].append(data[at:end])
        at = end + 1
    return [(what, CREATE_PRIMARY if (what, kind) == (1, CREATE_PRIMARY_ASYNC) else kind, body)
            for what, kind, body in found
            if what == 0 or kind in (DESTROY_SURFACES, CREATE_PRIMARY, DESTROY_PRIMARY, CREATE_PRIMARY_ASYNC)]


@tap.test('a recording of a replay has the same commands and primaries, byte for byte and in order')
def _():
    again = stage.path('again.rec')
    limit = 3000
    replay = Replay('ours', recording('windows-move'), '--no-wait', '--quit', '--in-step', '--limit', str(limit),
                    env={'SPICE_WORKER_RECORD_FILENAME': again})
    replay.process.wait(60)
    found, expected = events(again), events(recording('windows-move'))
    check_equal(sum(what == 0 for what, _, _ in found), limit, 'commands')
    displays = [[event for event in some if event[:2] != (0, 3)] for some in (found, expected)]  # two rings, two orders
    # The primary that a player destroys in the recording's stead is the only thing it adds.
    plain = [[event for event in some if event[:2] != (1, DESTROY_PRIMARY)] for some in displays]
    for number, (a, b) in enumerate(zip(*plain)):
        check_equal(a[:2], b[:2], f'event {number}')
        if a != b:
            wrong = next((x, y) for x, y in zip(a[2], b[2]) if x != y)
            check_equal(wrong[0][:200], wrong[1][:200], f'event {number}, {a[:2]}')
    ends = [their_picture(path, limit) for path in (again, recording('windows-move'))]
    check_equal(ends[0].differences(ends[1]), None, "the reference's pictures after ours and after the original")
    os.unlink(again)


def add_boot(recorder, player):
    @tap.test(f'a boot recorded by the library ({recorder}) and played by ({player}) ends in the same picture')
    def _():
        path = stage.path(f'boot-{recorder}.rec')
        machine = Machine(stage, server=recorder, env={'SPICE_WORKER_RECORD_FILENAME': path})
        truth = machine.wait_screen()
        machine.stop()
        replay = Replay(player, path, '--no-wait', '--in-step')
        replay.wait_end()
        ours, result = stage.sumac_screenshot(replay.uri, '--settle', '300ms')
        check(ours, f'sumac: {result}')
        check_equal(ours.differences(truth), None, 'sumac and the screen')
        theirs, result = stage.spicy_screenshot(replay.uri)
        check(theirs, f'spicy-screenshot: {result}')
        check_equal(theirs.differences(truth), None, 'spicy-screenshot and the screen')
        replay.stop()


add_boot('ours', 'reference')
add_boot('ours', 'ours')
add_boot('reference', 'ours')


@tap.test('a machine runs on when its recording cannot be made')
def _():
    machine = Machine(stage, env={'SPICE_WORKER_RECORD_FILENAME': '/dev/full'})
    truth = machine.wait_screen()
    ours, result = stage.sumac_screenshot(machine.uri)
    check(ours, f'sumac: {result}')
    check_equal(ours.differences(truth), None, 'sumac and the screen')
    check_equal(len(re.findall('the recording ends here', machine.process.log)), 1, 'lines about it')
    machine.stop()


with stage:
    status = tap.run(sys.argv[1] if len(sys.argv) > 1 else None)
sys.exit(status)
