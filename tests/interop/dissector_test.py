#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Wireshark dissector made from protocol/, tried with tshark: on a session between the reference
peers, captured here and now, and on every message there is, written to a capture by hand in pieces
of all sizes."""

import os
import re
import signal
import struct
import sys

from peers import BUILD, ROOT, Machine, Stage
from tap import Tap, check, check_equal, wait_for

sys.path.insert(0, os.path.join(ROOT, 'protocol'))

from generate import load  # noqa: E402
from wiregen import samples  # noqa: E402
from wiregen.emit_header import all_messages  # noqa: E402

DISSECTOR = os.path.join(BUILD, 'protocol', 'sumac-spice.lua')
PROBLEM_FIELDS = ('_ws.malformed', '_ws.lua.error', 'sumac.malformed', 'sumac.rule', 'sumac.unknown')
PROBLEMS = ' || '.join(PROBLEM_FIELDS)
REPLAY = os.path.join(BUILD, 'tests', 'interop', 'wire-replay')
CHANNEL_TYPES = {'main': 1, 'display': 2, 'inputs': 3, 'cursor': 4, 'playback': 5, 'record': 6,
                 'smartcard': 8, 'spicevmc': 10}
tap = Tap()


def tshark(stage, capture, *arguments):
    result = stage.run(['tshark', '-X', f'lua_script:{DISSECTOR}', '-r', capture, *arguments])
    check_equal(result.code, 0, f'exit code of tshark: {result.err}')
    check('Lua' not in result.err, f'tshark complains: {result.err}')
    return result.out


def fields(stage, capture, filter_text, *names):
    """The values of fields in the packets a filter lets through, a list of lists per packet."""
    arguments = [word for name in names for word in ('-e', name)]
    out = tshark(stage, capture, '-Y', filter_text, '-T', 'fields', *arguments)
    return [[value.split(',') for value in line.split('\t')] for line in out.splitlines()]


def check_no_problem(stage, capture):
    out = tshark(stage, capture, '-Y', PROBLEMS, '-O', 'sumac')
    check_equal(out, '', 'packets with problems')


def message(stage, capture, name, *names):
    """The fields of the first packet with that message."""
    found = fields(stage, capture, f'sumac.message.name == "{name}"', *names)
    check(found, f'no {name} in the capture')
    return found[0]


def capture_session(stage, capture):
    """Lets the reference client take a picture from the reference server, under observation."""
    machine = Machine(stage, server='reference')
    dumpcap = stage.start('dumpcap', ['dumpcap', '-i', 'lo', '-f', f'tcp port {machine.port}',
                                      '-w', capture])
    wait_for(lambda: 'File:' in dumpcap.log, 20, 'dumpcap on loopback')
    picture, result = stage.spicy_screenshot(machine.uri)
    check(picture, f'no picture: {result}')
    wait_for(lambda: message_count(stage, capture) > 0, 20, 'the end of the session in the capture')
    dumpcap.kill(signal.SIGINT)
    dumpcap.wait(10)
    return picture


def message_count(stage, capture):
    """Marks that are in the capture; while it grows its last packet may be half written."""
    result = stage.run(['tshark', '-X', f'lua_script:{DISSECTOR}', '-r', capture, '-Y',
                        'sumac.message.name == "display.mark"'])
    return len(result.out.splitlines())


@tap.test('a session of the reference peers is dissected')
def live_session():
    with Stage() as stage:
        capture = stage.path('session.pcapng')
        picture = capture_session(stage, capture)
        check_no_problem(stage, capture)

        session, tokens, mode = message(stage, capture, 'main.init', 'sumac.main.init.session_id',
                                        'sumac.main.init.agent_tokens',
                                        'sumac.main.init.current_mouse_mode')
        check_equal((tokens, int(mode[0], 16)), (['10'], 1), 'agent tokens and mouse mode')
        ids = fields(stage, capture, 'sumac.link.connection_id', 'sumac.link.channel_type',
                     'sumac.link.connection_id')
        check(['2'] in [row[0] for row in ids], 'no link message of a display')
        check_equal({row[1][0] for row in ids}, {'0', session[0]}, 'connection ids')

        types = message(stage, capture, 'main.channels_list', 'sumac.channel_id.type')[0]
        check({'2', '3', '4'} <= set(types), f'display, inputs, cursor in {types}')

        width, height, form, flags = message(
            stage, capture, 'display.surface_create', 'sumac.display.surface_create.width',
            'sumac.display.surface_create.height', 'sumac.display.surface_create.format',
            'sumac.display.surface_create.flags')
        size = (str(picture.width), str(picture.height))
        check_equal((width[0], height[0]), size, 'size of the surface')
        check_equal((form[0], int(flags[0], 16)), ('32', 1), 'format and flags of the surface')

        width, height, ropd, bottom = message(
            stage, capture, 'display.draw_copy', 'sumac.image.width', 'sumac.image.height',
            'sumac.display.draw_copy.ropd', 'sumac.rect.bottom')
        check_equal((width[0], height[0], bottom[0]), (*size, size[1]), 'size of the picture')
        check_equal(int(ropd[0], 16), 8, 'raster operation')

        column = tshark(stage, capture, '-Y', 'sumac.message.name == "main.init"')
        check(re.search(r'SPICE \d+ main 0: .*INIT', column), f'column: {column}')


def stream_bytes(stage, capture, number):
    """What each side sent in one TCP connection: {'client': bytes, 'server': bytes}."""
    out = tshark(stage, capture, '-q', '-z', f'follow,tcp,raw,{number}')
    sides = {'client': bytearray(), 'server': bytearray()}
    for line in out.splitlines():
        if re.fullmatch(r'\t?[0-9a-f]+', line):
            sides['server' if line.startswith('\t') else 'client'] += bytes.fromhex(line)
    return sides


def data_of(sides):
    """The channel type, and what follows the link phase in both directions."""
    client, server = bytes(sides['client']), bytes(sides['server'])
    client_at = 16 + struct.unpack_from('<I', client, 12)[0] + 4 + 128  # mechanism and ticket
    server_at = 16 + struct.unpack_from('<I', server, 12)[0] + 4        # result
    return client[20], {'client': client[client_at:], 'server': server[server_at:]}


@tap.test('every message of a live session is built again byte for byte')
def replay():
    with Stage() as stage:
        capture = stage.path('session.pcapng')
        capture_session(stage, capture)
        equal = {}
        for number in range(2):
            channel_type, data = data_of(stream_bytes(stage, capture, number))
            channel = next(name for name, n in CHANNEL_TYPES.items() if n == channel_type)
            for way in data:
                path = stage.path(f'{channel}-{way}')
                with open(path, 'wb') as file:
                    file.write(data[way])
                result = stage.run([REPLAY, f'{channel} {way}', path])
                check(re.fullmatch(r'[1-9]\d* equal\n', result.out), f'{channel} {way}: {result}')
                equal[channel, way] = int(result.out.split()[0])
        check(equal['main', 'server'] >= 7 and equal['display', 'server'] >= 6,
              f'messages that came back: {equal}')


@tap.test('a second look at the packets shows the same')
def second_pass():
    with Stage() as stage:
        capture = stage.path('session.pcap')
        write_all_messages(capture, 'main', is_mini=False, piece=700)
        once = tshark(stage, capture, '-Y', 'sumac.message.name')
        twice = tshark(stage, capture, '-2', '-Y', 'sumac.message.name')
        check(once, 'no messages')
        check_equal(twice.count('SPICE'), once.count('SPICE'), 'packets with messages')


def all_files():
    with open(os.path.join(ROOT, 'protocol', 'meson.build'), encoding='utf-8') as stream:
        names = re.findall(r"'(\w+\.wire)'", stream.read())
    return load([os.path.join(ROOT, 'protocol', name) for name in names])


FILES = all_files()


class Capture:
    """A pcap file with one TCP connection, cut into segments."""

    def __init__(self, path, piece):
        self.file, self.piece = open(path, 'wb'), piece
        self.file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 1 << 18, 101))  # raw IP
        self.sequence, self.time = {'client': 1000, 'server': 2000}, 0

    def close(self):
        self.file.close()

    def send(self, way, data, piece=None):
        for start in range(0, len(data), piece or self.piece):
            self.segment(way, data[start:start + (piece or self.piece)])

    def segment(self, way, data):
        ports = (40000, 49000) if way == 'client' else (49000, 40000)
        hosts = (b'\x0a\0\0\x01', b'\x0a\0\0\x02')
        source, target = hosts if way == 'client' else hosts[::-1]
        other = 'server' if way == 'client' else 'client'
        tcp = struct.pack('>HHIIBBHHH', *ports, self.sequence[way], self.sequence[other], 0x50,
                          0x18, 65535, 0, 0) + data
        packet = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, source,
                             target) + tcp
        self.time += 1
        self.file.write(struct.pack('<IIII', self.time, 0, len(packet), len(packet)) + packet)
        self.sequence[way] += len(data)


def link(capture, channel_type, common):
    """A link phase with a ticket."""
    def words(head, offset):
        return head + struct.pack('<III', 1, 1, offset) + struct.pack('<II', common, 0)
    header = struct.pack('<4sII', b'REDQ', 2, 2)
    body = words(struct.pack('<IBB', 7, channel_type, 0), 18)
    capture.send('client', header + struct.pack('<I', len(body)) + body, 5)
    body = words(struct.pack('<I', 0) + bytes(162), 178)
    capture.send('server', header + struct.pack('<I', len(body)) + body, 50)
    capture.send('client', struct.pack('<I', 1), 1)
    capture.send('client', bytes(128))
    capture.send('server', bytes(4), 3)


def frame(sample, is_mini, serial, sub_list=0):
    if is_mini:
        return struct.pack('<HI', sample.message.id, len(sample.body)) + sample.body
    return struct.pack('<QHII', serial, sample.message.id, len(sample.body),
                       sub_list) + sample.body


def with_sub_messages(sample, subs):
    """A message with a list of others behind its own body, and where that list stands."""
    body, offsets = sample.body, []
    for sub in subs:
        offsets.append(len(body))
        # As the reference server: a declared size that reaches beyond the end.
        body += struct.pack('<HI', sub.message.id, len(sub.body) + 13) + sub.body
    at = len(body)
    body += struct.pack('<H', len(subs)) + b''.join(struct.pack('<I', o) for o in offsets)
    return samples.Sample(sample.message, body), at


def write_all_messages(path, channel, is_mini, piece):
    """Sends every message of a channel both ways; returns how often each name must be found."""
    capture, count = Capture(path, piece), {}
    link(capture, CHANNEL_TYPES[channel], 0xb if is_mini else 0x3)
    for way in ('server', 'client'):
        serial = 0
        for item in all_messages(FILES[channel], FILES, way):
            if item.name == 'list':
                continue  # a random list leads nowhere; see below
            for number in range(min(6, samples.sample_count(item))):
                sample = samples.sample(FILES[item.channel], item, number)
                serial += 1
                capture.send(way, frame(sample, is_mini, serial))
                name = f'{item.channel}.{item.name}'
                count[way, name] = count.get((way, name), 0) + 1
    capture.close()
    return count


def find(channel, name):
    return next(m for m in FILES[channel].messages if m.name == name and m.direction == 'server')


def names_in(stage, capture):
    """How often each message was found, and whatever is wrong with any of them."""
    found, problems = {}, []
    for port, names, *marks in fields(stage, capture, f'sumac.message.name || {PROBLEMS}',
                                      'tcp.dstport', 'sumac.message.name', *PROBLEM_FIELDS):
        way = 'server' if port == ['40000'] else 'client'
        for name in names:
            if name and not name.startswith('agent.'):
                found[way, name] = found.get((way, name), 0) + 1
        if any(mark != [''] for mark in marks):
            problems.append((names, marks))
    return found, problems


@tap.test('every message of every channel is dissected, whatever the segments')
def every_message():
    with Stage() as stage:
        for channel in CHANNEL_TYPES:
            for is_mini, piece in ((True, 1400), (False, 61), (True, 7)):
                capture = stage.path(f'{channel}-{is_mini}-{piece}.pcap')
                wanted = write_all_messages(capture, channel, is_mini, piece)
                check_equal(names_in(stage, capture), (wanted, []), f'messages of {capture}')


@tap.test('sub-messages are dissected, with wrong sizes too')
def sub_messages():
    with Stage() as stage:
        capture = Capture(stage.path('subs.pcap'), 1400)
        link(capture, 2, 0x3)
        subs = [samples.sample(FILES['display'], find('display', 'inval_list'), 1),
                samples.sample(FILES['base'], find('base', 'wait_for_channels'), 1)]
        drawing, at = with_sub_messages(
            samples.sample(FILES['display'], find('display', 'draw_fill'), 3), subs)
        capture.send('server', frame(drawing, False, 1, at))
        capture.close()
        check_equal(names_in(stage, stage.path('subs.pcap')), ({
            ('server', 'display.draw_fill'): 1, ('server', 'display.inval_list'): 1,
            ('server', 'base.wait_for_channels'): 1}, []))


@tap.test('a message that is cut short is marked, and the next one is found')
def malformed():
    with Stage() as stage:
        capture = Capture(stage.path('cut.pcap'), 1400)
        link(capture, 2, 0xb)
        sample = samples.sample(FILES['display'], find('display', 'surface_create'), 0)
        capture.send('server', frame(samples.Sample(sample.message, sample.body[:-1]), True, 0))
        capture.send('server', frame(sample, True, 0))
        capture.close()
        marked = fields(stage, stage.path('cut.pcap'), 'sumac.malformed', 'sumac.message.name')
        check_equal(marked, [[['display.surface_create']]])
        names, problems = names_in(stage, stage.path('cut.pcap'))
        check_equal(names, {('server', 'display.surface_create'): 2})
        check_equal(len(problems), 1, 'packets with problems')


if __name__ == '__main__':
    tap.main()
