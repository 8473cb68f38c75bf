# SPDX-License-Identifier: MIT
"""Machines move between two QEMUs, with our server library and the reference's on either side, and their clients go along:
remote-viewer, which has to stay and to show the machine that moved, and a client of raw messages that looks at what is said
on the way. Source of what is expected: docs/migration.md."""

import socket
import struct
import sys
import threading
import time

import wire
from peers import Machine, Stage, free_port
from pictures import Picture
from probe import Probe
from tap import PATIENCE, Tap, check, check_equal, note, wait_for

MIGRATE, MIGRATE_DATA, FLUSH_MARK, CLIENT_MIGRATE_DATA = 1, 2, 4, 5
MAIN_BEGIN, MAIN_CANCEL, MAIN_SWITCH_HOST, MAIN_END, MAIN_BEGIN_SEAMLESS, MAIN_SEAMLESS_ACK = 101, 102, 111, 112, 116, 117
CLIENT_CONNECTED, CLIENT_CONNECT_ERROR, CLIENT_END, CLIENT_DO_SEAMLESS, CLIENT_CONNECTED_SEAMLESS = 102, 103, 109, 110, 111
MAIN_CHANNELS_LIST, DRAW_COPY = 104, 304
MOUSE_MOTION, MOUSE_MOTION_ACK = 111, 111
PLAYBACK, USBREDIR, PORT = 5, 9, 10
CAPABILITIES = {wire.MAIN: (0b1111,), wire.DISPLAY: (0b1000011,), USBREDIR: (1,), PORT: (1,)}
MAGICS = {wire.MAIN: b'MNMD', wire.DISPLAY: b'DCMD', wire.INPUTS: b'ICMD', USBREDIR: b'SVMD', PORT: b'SVMD'}
DEVICES = ['-chardev', 'spiceport,id=port,name=org.sumac.test', '-device', 'virtserialport,chardev=port,name=org.sumac.test',
           '-device', 'nec-usb-xhci', '-chardev', 'spicevmc,id=usb,name=usbredir', '-device', 'usb-redir,chardev=usb']

SOUND = ['-audiodev', 'spice,id=sound', '-machine', 'pcspk-audiodev=sound']  # the speaker; the key T lets it whistle
TONE_HZ, RATE_HZ = 440, 48000
PLAYBACK_DATA, PLAYBACK_START = 101, 103

tap = Tap()
stage = Stage()
display = stage.x_server()
env = {'DISPLAY': display}


class Pair:
    """A machine, and a QEMU that waits for it."""

    def __init__(self, source, target, seamless, devices=()):
        spice = {'seamless-migration': 'on'} if seamless else {}
        self.path = stage.path(f'migration-{time.monotonic_ns()}')
        self.source = Machine(stage, server=source, spice=spice, extra=devices)
        self.truth = self.source.wait_screen()
        self.target = Machine(stage, server=target, spice=spice, extra=[*devices, '-incoming', f'unix:{self.path}'])

    def announce(self, port=None):
        """Tells the source where its clients will have to go; it answers only when they are there."""
        self.source.qmp('client_migrate_info', protocol='spice', hostname='127.0.0.1', port=port or self.target.port)

    def move(self):
        self.source.qmp('migrate', uri=f'unix:{self.path}')
        wait_for(lambda: self.source.qmp('query-migrate').get('status') == 'completed', 30, 'the machine at the target')
        # Keys that come before it runs are lost.
        wait_for(lambda: self.target.qmp('query-status')['status'] == 'running', 30, 'a running machine')

    def wait_left(self):
        wait_for(lambda: self.source.qmp('query-spice')['migrated'], 15, 'the source without clients')

    def stop(self):
        self.source.stop()
        self.target.stop()


def forward(listener, port):
    """Everything that comes to a listener goes to a port."""
    def copy(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
    while True:
        front, _ = listener.accept()
        back = socket.create_connection(('127.0.0.1', port))
        for ends in (front, back), (back, front):
            threading.Thread(target=copy, args=ends, daemon=True).start()


def channels(machine):
    return sorted((entry['channel-type'], entry['channel-id']) for entry in machine.qmp('query-spice').get('channels', []))


def holds(window, truth):
    """Whether the picture of a window has all of the machine's in it."""
    row_bytes, first = truth.width * 3, truth.rgb[:truth.width * 3]
    for top in range(window.height - truth.height + 1):
        left = window.rgb.find(first, top * window.width * 3, (top + 1) * window.width * 3)
        if left >= 0:
            at = [left + y * window.width * 3 for y in range(truth.height)]
            return all(window.rgb[a:a + row_bytes] == truth.rgb[y * row_bytes:(y + 1) * row_bytes]
                       for y, a in enumerate(at))
    return False


def viewer_follows(source, target, seamless):
    pair = Pair(source, target, seamless)
    viewer = stage.start('remote-viewer', ['remote-viewer', '--debug', '--spice-debug', pair.source.uri], env)
    wait_for(lambda: len(channels(pair.source)) >= 4, 30, 'channels of remote-viewer')
    window = wait_for(lambda: stage.run(['xdotool', 'search', '--onlyvisible', '--name', '[(]1[)]$'], env=env).out.split(),
                      20, 'the window')[0]
    before = channels(pair.source)
    pair.announce()
    wait_for(lambda: len(channels(pair.target)) >= len(before), 20, 'links to the target')
    time.sleep(0.5)  # for its answer to the source, of which nobody is told
    pair.move()
    pair.wait_left()
    wait_for(lambda: channels(pair.target) == before, 20, f'channels {before} at the target')
    check('migrate-switch-host' not in viewer.log, 'the client had to begin anew')
    check_equal(pair.truth.differences(pair.target.screendump()), None, 'the screen of the machine that moved')
    stage.run(['xdotool', 'windowfocus', '--sync', window], env=env)
    stage.run(['xdotool', 'mousemove', '--window', window, '360', '300'], env=env)
    pair.target.insist(lambda: stage.run(['xdotool', 'type', '--delay', '60', 'moved'], env=env),
                       lambda: pair.truth.differences(pair.target.screendump()), 'typed text at the target')
    pair.target.wait_still(1.0)
    shot = stage.path('window.ppm')

    def shows():
        stage.run(['import', '-window', window, '-depth', '8', shot], env=env)
        return holds(Picture.load(shot), pair.target.screendump())
    wait_for(shows, 20, "the machine's picture in the window")
    check(viewer.is_running, viewer.log[-2000:])
    viewer.kill()
    viewer.wait(10)
    pair.stop()


for way in 'seamless', 'semi-seamless':
    for source, target in ('ours', 'ours'), ('reference', 'ours'), ('ours', 'reference'):
        tap.test(f'remote-viewer follows {way}ly from {source} to {target}: picture and keys')(
            lambda source=source, target=target, way=way: viewer_follows(source, target, way == 'seamless'))


# ---- our library ----

def ours_follows(source, target, seamless):
    """Seamlessly every channel goes on in the middle of what it was doing; else it opens again."""
    pair = Pair(source, target, seamless)
    probe = Probe(stage, pair.source.uri)
    probe.shows(pair.source)
    wait_for(lambda: len(probe.seen('open')) >= 4, 20, 'all channels')
    before = channels(pair.source)
    pair.announce()
    wait_for(lambda: len(channels(pair.target)) >= len(before), 20, 'links to the target')
    pair.move()
    probe.await_event('moved')
    pair.wait_left()
    if not seamless:
        wait_for(lambda: len(probe.seen('open')) >= 8, 20, 'all channels at the target')
    wait_for(lambda: channels(pair.target) == before, 20, f'channels {before} at the target')
    check_follower(pair, probe)
    check_equal(len(probe.seen('open')), 4 if seamless else 8, 'times a channel was opened')
    pair.stop()


def check_follower(pair, probe):
    probe.shows(pair.target)
    before = pair.target.screendump()
    check(probe.tell('press 30') and probe.tell('release 30'), 'keys are refused')
    wait_for(lambda: before.differences(pair.target.screendump()), 20, 'the key at the target')
    probe.shows(pair.target)
    check_equal([probe.seen('closed'), probe.seen('gone'), probe.seen('lost')], [[], [], []], 'losses told')
    probe.stop()


for source, target in ('ours', 'ours'), ('reference', 'ours'), ('ours', 'reference'), ('reference', 'reference'):
    for seamless in False, True:
        tap.test(f'our library follows from {source} to {target}{", also where a seamless move is allowed" * seamless}')(
            lambda source=source, target=target, seamless=seamless: ours_follows(source, target, seamless))


@tap.test('our library goes where it is sent when the target answers too late')
def _():
    pair = Pair('ours', 'reference', False)
    probe = Probe(stage, pair.source.uri)
    probe.shows(pair.source)
    relay = socket.socket()  # nobody listens yet
    relay.bind(('127.0.0.1', 0))
    pair.announce(relay.getsockname()[1])  # answered when our library has said that it cannot
    relay.listen()
    threading.Thread(target=forward, args=(relay, pair.target.port), daemon=True).start()
    pair.move()
    probe.await_event('moved')
    check_follower(pair, probe)
    pair.stop()


def target_fails(seamless):
    pair = Pair('ours', 'ours', seamless)
    probe = Probe(stage, pair.source.uri)
    probe.shows(pair.source)
    pair.announce(free_port())
    check_alive = pair.source.screendump()
    check(probe.tell('press 30') and probe.tell('release 30'), 'keys are refused')
    wait_for(lambda: check_alive.differences(pair.source.screendump()), 20, 'the key at the source')
    pair.announce()
    wait_for(lambda: len(channels(pair.target)) >= 4, 20, 'links to the target')
    pair.target.stop()
    pair.source.qmp('migrate', uri=f'unix:{pair.path}')
    wait_for(lambda: pair.source.qmp('query-migrate').get('status') == 'failed', 20, 'the failure')
    probe.shows(pair.source)
    check_alive = pair.source.screendump()
    check(probe.tell('press 48') and probe.tell('release 48'), 'keys are refused')
    wait_for(lambda: check_alive.differences(pair.source.screendump()), 20, 'the key at the source')
    check_equal([probe.seen('closed'), probe.seen('moved')], [[], []], 'what was told')
    probe.stop()
    pair.source.stop()


for seamless in False, True:
    tap.test(f'a target that is not there, and one that fails later, leave our library where it is{", also seamlessly" * seamless}')(
        lambda seamless=seamless: target_fails(seamless))


@tap.test('a source that vanishes before the move is the end, and no link stays behind')
def _():
    pair = Pair('ours', 'ours', False)
    probe = Probe(stage, pair.source.uri)
    probe.shows(pair.source)
    pair.announce()
    wait_for(lambda: len(channels(pair.target)) >= 4, 20, 'links to the target')
    pair.source.stop()
    probe.await_event('closed')
    wait_for(lambda: not channels(pair.target), 20, 'a target without links')
    pair.target.stop()


# ---- a client of raw messages ----

class Channel:
    """A channel at the source or the target that answers what has to be answered."""

    def __init__(self, machine, kind, session=0, number=0):
        self.kind, self.number, self.count = kind, number, 0
        self.raw = wire.RawChannel(('127.0.0.1', machine.port), kind, session, number, CAPABILITIES.get(kind, ()))
        check_equal(self.raw.link(), 0, f'link result of channel {kind}:{number}')

    def read(self):
        kind, body = self.raw.next_message()
        self.count += 1
        if kind == wire.PING:
            self.raw.send_message(wire.PONG, body[:12])
        if kind == wire.SET_ACK:
            self.raw.send_message(wire.ACK_SYNC, body[:4])
        return kind, body

    def read_until(self, *kinds):
        while True:
            kind, body = self.read()
            if kind in kinds:
                return kind, body

    def read_all(self, quiet_s=0.7):
        """What comes until it is quiet."""
        found = []
        self.raw.socket.settimeout(quiet_s)
        try:
            while True:
                found.append(self.read())
        except TimeoutError:
            self.raw.socket.settimeout(20 * PATIENCE)
        return found


class RawClient:
    """A session with all channels that are offered."""

    def __init__(self, machine):
        self.main = Channel(machine, wire.MAIN)
        self.session = struct.unpack_from('<I', self.main.read_until(wire.MAIN_INIT)[1])[0]
        self.main.raw.send_message(wire.MAIN_ATTACH_CHANNELS)
        body = self.main.read_until(MAIN_CHANNELS_LIST)[1]
        ids = [struct.unpack_from('<BB', body, 4 + 2 * i) for i in range(struct.unpack_from('<I', body)[0])]
        self.others = [Channel(machine, kind, self.session, number) for kind, number in ids]
        self.channel(wire.DISPLAY).raw.send_message(wire.DISPLAY_INIT, struct.pack('<BqBi', 1, 20 << 20, 1, 8 << 20))
        for channel in [self.main, *self.others]:
            channel.read_all(0.5)

    def channel(self, kind):
        return next(channel for channel in self.others if channel.kind == kind)

    def link_to(self, machine, seamless):
        """Links every channel to the target and tells the source."""
        kind, body = self.main.read_until(MAIN_BEGIN, MAIN_BEGIN_SEAMLESS)
        check_equal(kind, MAIN_BEGIN_SEAMLESS if seamless else MAIN_BEGIN, 'what the source says')
        check_equal(struct.unpack_from('<H', body)[0], machine.port, 'port of the target')
        self.new_main = Channel(machine, wire.MAIN, self.session)
        if seamless:
            self.new_main.raw.send_message(CLIENT_DO_SEAMLESS, struct.pack('<I', 1))
            check_equal(self.new_main.read()[0], MAIN_SEAMLESS_ACK, 'answer of the target')
        self.new_others = [Channel(machine, old.kind, self.session, old.number) for old in self.others]
        self.main.raw.send_message(CLIENT_CONNECTED_SEAMLESS if seamless else CLIENT_CONNECTED)
        self.main.read_all(0.3)

    def carry(self, old, new):
        """Carries one channel over. Returns its flags and data, and when it left."""
        flags = struct.unpack('<I', old.read_until(MIGRATE)[1])[0]
        left = time.monotonic()
        data = None
        if flags & 1:
            old.raw.send_message(FLUSH_MARK)
        if flags & 2:
            kind, data = old.read()
            check_equal(kind, MIGRATE_DATA, 'what follows the mark')
            new.raw.send_message(CLIENT_MIGRATE_DATA, self.alter(old.kind, data))
        return flags, data, left

    def alter(self, kind, data):
        return data

    def carry_all(self):
        result = {}

        def run(old, new):
            result[old.kind] = self.carry(old, new)
        threads = [threading.Thread(target=run, args=pair)
                   for pair in zip([*self.others, self.main], [*self.new_others, self.new_main])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30 * PATIENCE)
        check_equal(len(result), len(threads), 'channels that went over')
        return result

    def close(self):
        for channel in [self.main, *self.others, *getattr(self, 'new_others', [])]:
            channel.raw.close()


def raw_client_follows(source, target):
    pair = Pair(source, target, True, DEVICES)
    client = RawClient(pair.source)
    for _ in range(2):
        client.channel(wire.INPUTS).raw.send_message(MOUSE_MOTION, struct.pack('<iiI', 1, 1, 0))
    client.channel(PORT).raw.send_message(101, b'not taken by the guest')
    told = threading.Thread(target=pair.announce)
    told.start()
    client.link_to(pair.target, True)
    told.join(20 * PATIENCE)
    start = time.monotonic()
    moved = threading.Thread(target=pair.move)
    moved.start()
    result = client.carry_all()
    moved.join(30 * PATIENCE)
    for kind, magic in MAGICS.items():
        flags, data, _ = result[kind]
        check_equal((flags, data[:8]), (3, magic + b'\1\0\0\0'), f'flags and magic of channel {kind}')
    check_equal(result[wire.CURSOR][:2], (0, None), 'the cursor channel')
    check_equal(struct.unpack_from('<H', result[wire.INPUTS][1], 8)[0], 2, 'motion not acknowledged')
    check(result[PORT][1].endswith(b'not taken by the guest'), 'the words that wait for the guest')
    serial, = struct.unpack_from('<Q', result[wire.DISPLAY][1], 8)
    check_equal(serial, client.channel(wire.DISPLAY).count, 'the serial of the display')
    # Every channel is alive at the target.
    new = {channel.kind: channel for channel in [client.new_main, *client.new_others]}
    kind, _ = new[wire.DISPLAY].read_until(DRAW_COPY)
    note(f'{source} to {target}: {(time.monotonic() - result[wire.DISPLAY][2]) * 1000:.0f} ms from the last message of the '
         f'display at the source to the first picture at the target, {(time.monotonic() - start) * 1000:.0f} ms in all')
    for channel in [client.main, *client.others]:  # main first: the others may follow
        channel.raw.close()
    pair.wait_left()
    for _ in range(2):
        new[wire.INPUTS].raw.send_message(MOUSE_MOTION, struct.pack('<iiI', 1, 1, 0))
    new[wire.INPUTS].read_until(MOUSE_MOTION_ACK)  # of all four
    check_equal(pair.truth.differences(pair.target.screendump()), None, 'the screen of the machine that moved')
    check_equal(len(channels(pair.target)), len(client.others) + 1, 'channels at the target')
    client.close()
    pair.stop()


for source, target in ('ours', 'ours'), ('reference', 'ours'), ('ours', 'reference'), ('reference', 'reference'):
    tap.test(f'a client of raw messages carries every channel from {source} to {target}')(
        lambda source=source, target=target: raw_client_follows(source, target))


class Ear:
    """What is heard on a playback channel without Opus: frames of 16-bit stereo, each with its time in milliseconds."""

    def __init__(self, channel):
        self.channel, self.times, self.samples = channel, [], []

    def listen(self, seconds):
        """Until so much was heard since START, or MIGRATE comes; False for the latter."""
        while len(self.samples) < seconds * RATE_HZ:
            kind, body = self.channel.read()
            if kind == MIGRATE:
                return False
            if kind == PLAYBACK_START:
                self.times, self.samples = [], []
            if kind == PLAYBACK_DATA:
                self.times.append(struct.unpack_from('<I', body)[0])
                self.samples += struct.unpack(f'<{len(body) // 2 - 2}h', body[4:])[::2]
        return True

    def check_tone(self, where):
        """The tone, by the number of its waves; and no frame came late by more than a few."""
        waves = sum(1 for a, b in zip(self.samples, self.samples[1:]) if a < 0 <= b)
        hertz = waves * RATE_HZ / len(self.samples)
        check(abs(hertz - TONE_HZ) < 4, f'{where}: a tone of {hertz:.1f} Hz, expected {TONE_HZ}')
        steps = [b - a for a, b in zip(self.times, self.times[1:])]
        note(f'{where}: {hertz:.1f} Hz, {len(self.times)} frames, at most {max(steps)} ms between two')


def tone_follows(source, target):
    pair = Pair(source, target, True, SOUND)
    client = RawClient(pair.source)
    pair.source.send_keys('shift', 't')
    ear = Ear(client.channel(PLAYBACK))
    ear.listen(2)
    ear.check_tone(f'{source}, source')
    told = threading.Thread(target=pair.announce)
    told.start()
    client.link_to(pair.target, True)
    told.join(20 * PATIENCE)
    moved = threading.Thread(target=pair.move)
    moved.start()
    carried = threading.Thread(target=client.carry_all)
    carried.start()
    carried.join(30 * PATIENCE)
    moved.join(30 * PATIENCE)
    # QEMU's speaker falls silent with a move, whoever serves it, until the guest touches it.
    pair.target.send_keys('shift', 't')
    ear = Ear(next(channel for channel in client.new_others if channel.kind == PLAYBACK))
    ear.listen(2)
    ear.check_tone(f'{target}, target')
    client.close()
    pair.stop()


for source, target in ('ours', 'ours'), ('reference', 'ours'), ('ours', 'reference'):
    tap.test(f'a tone is heard from {source}, and goes on at {target} over the same channel')(
        lambda source=source, target=target: tone_follows(source, target))


@tap.test('a client that vanishes in the middle does not hold up the machine')
def _():
    pair = Pair('ours', 'ours', True, DEVICES)
    client = RawClient(pair.source)
    told = threading.Thread(target=pair.announce)
    told.start()
    client.link_to(pair.target, True)
    told.join(20 * PATIENCE)
    moved = threading.Thread(target=pair.move)
    moved.start()
    client.channel(wire.DISPLAY).read_until(MIGRATE)  # and not a word more
    client.close()
    client.new_main.raw.close()
    moved.join(30 * PATIENCE)
    pair.wait_left()
    picture, result = stage.spicy_screenshot(pair.target.uri)
    check(picture, f'no picture: {result}')
    check_equal(pair.truth.differences(picture), None, 'the screen for the next client')
    pair.stop()


@tap.test('a client whose target does not answer is sent there when the machine has gone')
def _():
    pair = Pair('ours', 'ours', True)
    client = RawClient(pair.source)
    nowhere = free_port()
    told = threading.Thread(target=pair.announce, args=(nowhere,))
    told.start()
    client.main.read_until(MAIN_BEGIN_SEAMLESS)
    client.main.raw.send_message(CLIENT_CONNECT_ERROR)
    told.join(20 * PATIENCE)
    moved = threading.Thread(target=pair.move)
    moved.start()
    _, body = client.main.read_until(MAIN_SWITCH_HOST)
    check_equal(struct.unpack_from('<H', body)[0], nowhere, 'the port')
    moved.join(30 * PATIENCE)
    client.close()
    pair.wait_left()
    pair.stop()


@tap.test('a migration that fails leaves the client where it is')
def _():
    pair = Pair('ours', 'ours', True)
    client = RawClient(pair.source)
    told = threading.Thread(target=pair.announce)
    told.start()
    client.link_to(pair.target, True)
    told.join(20 * PATIENCE)
    pair.target.stop()
    pair.source.qmp('migrate', uri=f'unix:{pair.path}')
    client.main.read_until(MAIN_CANCEL)
    client.channel(wire.INPUTS).raw.send_message(101, struct.pack('<I', 0x1e))  # a
    client.channel(wire.INPUTS).raw.send_message(103, struct.pack('<I', 0x9e))
    wait_for(lambda: pair.truth.differences(pair.source.screendump()), 20, 'the key at the source')
    client.channel(wire.DISPLAY).read_until(DRAW_COPY)
    client.close()
    pair.source.stop()


@tap.test('migration data that were made up end their channel and nothing else')
def _():
    pair = Pair('ours', 'ours', True, DEVICES)
    client = RawClient(pair.source)
    client.alter = lambda kind, data: data if kind == wire.MAIN else data[:8] + b'\xff' * (len(data) - 8)
    told = threading.Thread(target=pair.announce)
    told.start()
    client.link_to(pair.target, True)
    told.join(20 * PATIENCE)
    moved = threading.Thread(target=pair.move)
    moved.start()
    client.carry_all()
    moved.join(30 * PATIENCE)
    client.close()
    client.new_main.raw.close()
    picture, result = stage.spicy_screenshot(pair.target.uri)
    check(picture, f'no picture: {result}')
    check_equal(pair.truth.differences(picture), None, 'the screen for an honest client')
    pair.stop()


with stage:
    code = tap.run(sys.argv[1] if len(sys.argv) > 1 else None)
sys.exit(code)
