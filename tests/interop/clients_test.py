# SPDX-License-Identifier: MIT
"""Clients that come and go on our server: many, silent, rude, and such that die in the middle. The machine goes on, and
nothing of them stays behind."""

import json
import os
import struct
import sys

import wire
from peers import Machine, Stage
from tap import PATIENCE, Tap, check, check_equal, wait_for

tap = Tap()
stage = Stage()
machine = Machine(stage, server='ours')
truth = machine.wait_screen()
address = ('127.0.0.1', machine.port)


def check_serves():
    """Another client is served, and sees the screen as it is."""
    check(machine.is_running, f'QEMU ended: {machine.process.log[-2000:]}')
    picture, result = stage.spicy_screenshot(machine.uri)
    check(picture, f'no picture: {result}')
    check_equal(truth.differences(picture), None, 'the screen')


def open_files():
    return len(os.listdir(f'/proc/{machine.process.pid}/fd'))


def threads():
    return len(os.listdir(f'/proc/{machine.process.pid}/task'))


def wait_quiet():
    """Waits until the server has forgotten every client; returns what it then holds open."""
    wait_for(lambda: not machine.qmp('query-spice').get('channels'), 20, 'no channel is left')
    return open_files()


check_serves()  # what is opened once for good is open now
files_at_first = wait_quiet()


@tap.test('ten clients one after the other all see the screen')
def _():
    for turn in range(10):
        take = stage.spicy_screenshot if turn % 2 else stage.sumac_screenshot
        picture, result = take(machine.uri)
        check(picture, f'client {turn}: no picture: {result}')
        check_equal(truth.differences(picture), None, f'the screen of client {turn}')


@tap.test('sumac info tells what the server offers')
def _():
    result = stage.sumac('info', machine.uri, '--json')
    check_equal(result.code, 0, repr(result))
    check('display' in json.dumps(json.loads(result.out)), result.out)


@tap.test('clients that die at every byte of the link message leave the server running')
def _():
    whole = wire.RawChannel(address, wire.MAIN)
    message = whole.header + whole.message
    whole.close()
    for size in range(len(message) + 1):
        for abruptly in False, True:
            client = wire.RawChannel(address, wire.MAIN)
            client.send(message[:size])
            client.close(abruptly)
    check_serves()


@tap.test('clients that die within the ticket leave the server running')
def _():
    for size in 0, 3, 4, 5, 131:
        client = wire.RawChannel(address, wire.MAIN)
        client.send(client.header + client.message)
        check_equal(client.read_reply(), 0, 'link reply')
        client.send((struct.pack('<I', 1) + bytes(128))[:size])
        client.close(abruptly=size % 2 == 1)
    check_serves()


@tap.test('clients that die in the middle of a message leave the server running')
def _():
    for size in range(1, 14):
        main, _ = wire.open_main(address)
        main.send((struct.pack('<HI', wire.PONG, 12) + bytes(12))[:size])
        main.close(abruptly=size % 2 == 1)
    check_serves()


@tap.test('clients that die while the display begins leave the server running')
def _():
    for size in 0, 1, 6, 100, 5000, 50000:
        main, session = wire.open_main(address)
        display = wire.open_display(address, session)
        display.socket.settimeout(1)
        try:
            display.receive(size)
        except TimeoutError:
            pass
        display.close(abruptly=True)
        main.close(abruptly=True)
    check_serves()


@tap.test('what is no SPICE, or breaks its rules, is turned away')
def _():
    for rubbish in b'GET / HTTP/1.0\r\n\r\n', b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', bytes(64), b'\xff' * 64, \
            struct.pack('<4sIII', b'REDQ', 2, 2, 0xffffffff), struct.pack('<4sIII', b'REDQ', 2, 2, 17), \
            struct.pack('<4sIIIIBBIII', b'REDQ', 2, 2, 18, 0, 1, 0, 0xffffffff, 0xffffffff, 18), \
            struct.pack('<4sIIIIBBIII', b'REDQ', 2, 2, 18, 0, 1, 0, 2, 0, 0xfffffff0), \
            struct.pack('<4sIII', b'REDQ', 7, 7, 18) + bytes(18):
        client = wire.RawChannel(address, wire.MAIN)
        client.send(rubbish)
        try:
            while client.socket.recv(4096):  # until it is closed, perhaps after words of refusal
                pass
        except ConnectionResetError:
            pass
        client.close()
    for kind, body in (104, b'x' * 100), (0xffff, b'rubbish'), (101, b''), (107, bytes(5)), (3, b''):
        main, _ = wire.open_main(address)
        main.send_message(kind, body)
        main.close()
    main, _ = wire.open_main(address)
    main.send(struct.pack('<HI', wire.PONG, 0xffffffff) + bytes(100))
    main.close()
    check_serves()


@tap.test('channels of a session that is not there are refused')
def _():
    for kind in wire.DISPLAY, wire.INPUTS, wire.CURSOR:
        channel = wire.RawChannel(address, kind, connection_id=0x12345678)
        check_equal(channel.link(), 8, 'link result: bad connection id')
        channel.close()
    check_serves()


@tap.test('forty silent connections keep nobody out')
def _():
    silent = [wire.RawChannel(address, wire.MAIN) for _ in range(40)]
    check_serves()
    for client in silent:
        client.close()


@tap.test('a new client takes over; the old one is closed and the new one works')
def _():
    old, _ = wire.open_main(address)
    check_serves()
    old.socket.settimeout(10 * PATIENCE)
    try:
        while old.socket.recv(4096):
            pass
    except ConnectionResetError:
        pass
    old.close()


@tap.test('a graphical client shows the machine, passes keys, and may be killed')
def _():
    display = stage.x_server()
    env = {'DISPLAY': display}
    viewer = stage.start('remote-viewer', ['remote-viewer', '--debug', machine.uri], env)
    # A session is main, display, cursor and inputs at least.
    wait_for(lambda: len(machine.qmp('query-spice').get('channels') or []) >= 4, 30, 'channels of remote-viewer')
    window = wait_for(lambda: stage.run(['xdotool', 'search', '--onlyvisible', '--name', '[(]1[)]$'], env=env).out.split(),
                      20, 'the window')[0]
    stage.run(['xdotool', 'windowfocus', '--sync', window], env=env)
    machine.wait_still(1.0)
    stage.run(['xdotool', 'mousemove', '--window', window, '360', '300'], env=env)
    machine.insist(lambda: stage.run(['xdotool', 'type', '--delay', '60', 'viewer'], env=env),
                   lambda: truth.differences(machine.screendump()), 'typed text on the screen')
    viewer.kill()
    viewer.wait(10)
    machine.check_seen(('spicy-screenshot', stage.spicy_screenshot))


@tap.test('nothing of all these clients stays open')
def _():
    wait_for(lambda: wait_quiet() <= files_at_first, 40, f'{files_at_first} open files again', 0.5)
    check(threads() < 30, f'{threads()} threads')


@tap.test("QEMU's log has no critical message")
def _():
    bad = [line for line in machine.process.log.split('\n')
           if any(word in line.lower() for word in ('critical', 'assert', 'sanitizer', 'abort'))]
    check_equal(bad, [], 'lines')


with stage:
    status = tap.run(*sys.argv[1:2])
sys.exit(status)
