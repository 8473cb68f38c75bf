# SPDX-License-Identifier: MIT
"""Byte streams of QEMU's devices on both servers: a monitor on a port, a redirected USB device's first words, and the
reference's client, which opens them."""

import json
import struct
import sys
import time

import wire
from peers import Machine, Stage
from tap import Tap, check, check_equal, wait_for

SMARTCARD, USBREDIR, PORT, WEBDAV = 8, 9, 10, 11
CARD_ERROR, CARD_READER_ADD, CARD_READER_REMOVE, CARD_ATR = 2, 3, 4, 5
UNDEFINED_READER = 0xffffffff
DATA, COMPRESSED_DATA, PORT_INIT, PORT_EVENT = 101, 102, 201, 202
CAN_LZ4 = 1 << 0

DEVICES = ['-chardev', 'spiceport,id=monitor,name=org.qemu.monitor.qmp.0', '-mon', 'chardev=monitor,mode=control',
           '-chardev', 'spiceport,id=webdav,name=org.spice-space.webdav.0',
           '-device', 'virtserialport,chardev=webdav,name=org.spice-space.webdav.0',
           '-device', 'qemu-xhci', '-chardev', 'spicevmc,id=usb,name=usbredir', '-device', 'usb-redir,chardev=usb',
           '-device', 'usb-ccid', '-chardev', 'spicevmc,id=card,name=smartcard', '-device', 'ccid-card-passthru,chardev=card']

SECOND_READER = ['-device', 'usb-ccid,id=further', '-chardev', 'spicevmc,id=further_card,name=smartcard',
                 '-device', 'ccid-card-passthru,chardev=further_card,bus=further.0']

tap = Tap()
stage = Stage()
names = {'reference': "the reference's server", 'ours': 'our server'}


class Stream:
    """A usbredir, port or webdav channel: what came is in `text`."""

    def __init__(self, address, session, kind, channel_id=0):
        self.channel = wire.RawChannel(address, kind, session, channel_id, [CAN_LZ4])
        check_equal(self.channel.link(), 0, 'link result')
        self.text, self.packed, self.init = b'', 0, None

    def take(self):
        kind, body = self.channel.next_message()
        self.channel.acknowledge(kind, body)
        if kind == DATA:
            self.text += body
        elif kind == COMPRESSED_DATA:
            method, size = struct.unpack_from('<BI', body)
            check_equal(method, 1, 'LZ4')
            piece = unpack(body[5:])
            check_equal(len(piece), size, 'the size of a packed piece')
            self.text += piece
            self.packed += 1
        elif kind == PORT_INIT:
            size, at, is_open = struct.unpack_from('<IIB', body)
            self.init = body[at:at + size], is_open

    def take_line(self):
        while b'\n' not in self.text:
            self.take()
        line, self.text = self.text.split(b'\n', 1)
        return json.loads(line)

    def say(self, text, piece=10000):
        for at in range(0, len(text), piece):
            self.channel.send_message(DATA, text[at:at + piece])

    def ask(self, command, **arguments):
        """A command to a monitor on the other side, and its answer past events."""
        self.say(json.dumps({'execute': command, 'arguments': arguments}).encode())
        while True:
            answer = self.take_line()
            if 'return' in answer or 'error' in answer:
                return answer


def unpack(block):
    """One LZ4 block. Source: the LZ4 block format."""
    out, at = bytearray(), 0

    def longer(length):
        nonlocal at
        if length == 15:
            while True:
                at += 1
                length += block[at - 1]
                if block[at - 1] != 255:
                    break
        return length
    while at < len(block):
        token = block[at]
        at += 1
        literals = longer(token >> 4)
        out += block[at:at + literals]
        at += literals
        if at == len(block):
            break
        distance = block[at] | block[at + 1] << 8
        at += 2
        for _ in range(longer(token & 15) + 4):
            out.append(out[-distance])
    return bytes(out)


def connections(machine, kind):
    """How many channels of a kind QEMU counts."""
    return sum(channel['channel-type'] == kind for channel in machine.qmp('query-spice').get('channels', ()))


def test_monitor(machine, name):
    @tap.test(f'{name}: a monitor on a port answers, packed where that pays')
    def _():
        address = ('127.0.0.1', machine().port)
        main, session = wire.open_main(address)
        port = Stream(address, session, PORT)
        greeting = port.take_line()
        check_equal(port.init, (b'org.qemu.monitor.qmp.0\0', 1), 'PORT_INIT')
        check('QMP' in greeting, f'a greeting: {greeting}')
        check_equal(port.ask('qmp_capabilities'), {'return': {}}, 'capabilities')
        check_equal(port.ask('query-status')['return']['running'], True, 'status')
        # The reference gives 128 KiB of an answer and then waits for another (docs/wire/facts.md).
        is_ours = name == names['ours']
        question, least = ('query-qmp-schema', 500) if is_ours else ('query-commands', 100)
        check(len(port.ask(question)['return']) > least, question)
        check(port.packed > 0, 'nothing came packed')
        # What QEMU does not know it repeats: there and back.
        path = ''.join(chr(97 + i * i % 23) for i in range(300000 if is_ours else 30000))
        check(path in port.ask('qom-get', path=path, property='y')['error']['desc'], 'the path came back')
        port.channel.close()
        main.close()
        wait_for(lambda: connections(machine(), PORT) == 0, 10, 'the channel to be gone')

    @tap.test(f'{name}: the port can be opened again, and greets again')
    def _():
        address = ('127.0.0.1', machine().port)
        main, session = wire.open_main(address)
        port = Stream(address, session, PORT)
        check('QMP' in port.take_line(), 'a greeting')
        port.channel.close()
        main.close()


def tell_cards(cards, kind, reader, data=b''):
    """A message to one of the guest's readers; returns what is answered: (code, reader)."""
    cards.say(struct.pack('<III', kind, reader, len(data)) + data)
    cards.text = b''
    while not cards.text:
        cards.take()
    answer, reader, size, code = struct.unpack('<IIII', cards.text)
    check_equal((answer, size), (CARD_ERROR, 4), 'an answer')
    return code, reader


def test_two_readers(machine, name):
    @tap.test(f'{name}: two cards are put into two readers of the guest')
    def _():
        address = ('127.0.0.1', machine().port)
        main, session = wire.open_main(address)
        cards = Stream(address, session, SMARTCARD)
        for reader in (0, 1):
            check_equal(tell_cards(cards, CARD_READER_ADD, UNDEFINED_READER), (0, reader), 'a reader')
        check_equal(tell_cards(cards, CARD_READER_ADD, UNDEFINED_READER), (2, UNDEFINED_READER), 'no third reader')
        for reader in (1, 0):
            check_equal(tell_cards(cards, CARD_ATR, reader, bytes.fromhex('3b00')), (0, reader), 'a card')
        check_equal(tell_cards(cards, CARD_READER_REMOVE, 0), (0, 0), 'the first is gone')
        check_equal(tell_cards(cards, CARD_READER_ADD, UNDEFINED_READER), (0, 0), 'and back')
        cards.channel.close()
        main.close()
        check(machine().is_running, 'QEMU ended')


def test_devices(machine, name):
    @tap.test(f'{name}: usbredir and webdav channels say what their devices do')
    def _():
        address = ('127.0.0.1', machine().port)
        main, session = wire.open_main(address)
        usb = Stream(address, session, USBREDIR)
        while len(usb.text) < 80:  # type, length and id of a hello, then 64 bytes of version and one word or more
            usb.take()
        kind, length = struct.unpack_from('<II', usb.text)
        check_equal(kind, 0, 'a hello')
        check(length >= 68, f'{length} bytes of hello')
        check(b'qemu' in usb.text[12:76].lower(), f'who says hello: {usb.text[12:76]}')
        webdav = Stream(address, session, WEBDAV)
        while webdav.init is None:
            webdav.take()
        # No guest runs that would have opened it.
        check_equal(webdav.init, (b'org.spice-space.webdav.0\0', 0), 'PORT_INIT')
        check_equal(connections(machine(), USBREDIR), 1, 'usbredir channels')
        check_equal(connections(machine(), WEBDAV), 1, 'webdav channels')
        usb.channel.close()
        webdav.channel.close()
        main.close()
        wait_for(lambda: connections(machine(), USBREDIR) == 0, 10, 'the channel to be gone')

    @tap.test(f'{name}: a card is put into the reader of the guest and taken out')
    def _():
        address = ('127.0.0.1', machine().port)
        main, session = wire.open_main(address)
        cards = Stream(address, session, SMARTCARD)

        def tell(*words):
            return tell_cards(cards, *words)
        check_equal(tell(CARD_READER_ADD, UNDEFINED_READER, b'a reader'), (0, 0), 'the reader')
        check_equal(tell(CARD_ATR, 0, bytes.fromhex('3b00')), (0, 0), 'the card')
        check_equal(tell(CARD_READER_REMOVE, 0), (0, 0), 'the reader is gone')
        check_equal(tell(CARD_READER_REMOVE, 0)[0] != 0, True, 'it cannot go twice')
        cards.channel.close()
        main.close()
        check(machine().is_running, 'QEMU ended')

    if name == names['ours']:  # one reader works at the reference's
        test_two_readers(machine, name)

    @tap.test(f"{name}: the reference's client opens the device's channel")
    def _():
        display = stage.x_server()
        client = stage.start('spicy', ['spicy', '--uri', f'spice://127.0.0.1:{machine().port}'],
                             {'DISPLAY': display})
        wait_for(lambda: connections(machine(), USBREDIR) == 1, 30, 'a usbredir channel')
        wait_for(lambda: connections(machine(), PORT) == 1, 30, 'a port channel')
        time.sleep(1)
        check_equal(connections(machine(), USBREDIR), 1, 'usbredir channels a second later')
        check(client.is_running, 'the client ended')
        client.stop()
        check(machine().is_running, 'QEMU ended')


with stage:
    for one_server in ('reference', 'ours'):
        machines = {}

        def started(server=one_server, kept=machines):
            if server not in kept:
                kept[server] = Machine(stage, server=server, extra=DEVICES + (SECOND_READER if server == 'ours' else []))
            return kept[server]
        test_monitor(started, names[one_server])
        test_devices(started, names[one_server])
    status = tap.run()
sys.exit(status)
