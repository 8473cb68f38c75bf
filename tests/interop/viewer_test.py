#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The viewer in a window under Xvfb, looked at from outside: pictures of the X screen, keys and clicks by xdotool. It has no
window manager there, so the pointer says who has the focus."""

import os
import re
import signal
import time

from desk import VIEWER, Desk, find
from peers import BUILD, Certificates, Machine, Stage, free_port
from tap import Tap, check, check_equal, insist, wait_for

SUGGESTED = bytes((0x35, 0x84, 0xe4))
tap = Tap()
stage = Stage()
desk = Desk(stage)


def count_colour(picture, colour):
    return sum(picture.rgb[i:i + 3] == colour for i in range(0, len(picture.rgb), 3))


def all_pixels(picture):
    return ((x, y) for y in range(picture.height) for x in range(picture.width))


def viewer(*arguments):
    return desk.viewer('--auto-resize=never', *arguments)


def check_typing(machine, place, text):
    """Keys reach the guest, and what it shows of them comes back."""
    before = machine.screendump()
    desk.click(place[0] + before.width // 2, place[1] + before.height // 2)
    machine.insist(lambda: desk.xdotool('type', '--delay', '60', text),
                   lambda: before.differences(machine.screendump()), 'typed text on the screen')
    machine.wait_still(1.0)
    desk.wait_shown(machine, 'the screen with the typed text')


def waits_of(program):
    """How often the thread that draws has waited for something so far."""
    with open(f'/proc/{program.child.pid}/status') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('voluntary_ctxt_switches:'))


def check_rest(program, seconds=2):
    """Nothing is drawn while nothing changes; a frame asks the X server ten things, and there would be sixty a second."""
    desk.wait_still()
    before, start = waits_of(program), time.monotonic()
    time.sleep(seconds)
    waits, seconds = waits_of(program) - before, time.monotonic() - start
    print(f'# {waits} waits in {seconds:.1f} s of a still screen')
    check(waits < seconds * 120, f'{waits} waits in {seconds} s of a still screen')


def check_shown_and_typed(server):
    machine = Machine(stage, server=server)
    machine.wait_screen()
    program = viewer(machine.uri)
    place = desk.wait_shown(machine, 'the screen in the window')
    check_typing(machine, place, 'viewer')
    insist(lambda: check_rest(program), 5)  # what comes late is drawn once, a fault for ever
    program.stop()
    machine.stop()


@tap.test('shows a machine on our server, and types')
def _():
    check_shown_and_typed('ours')


@tap.test("shows a machine on the reference's server, and types")
def _():
    check_shown_and_typed('reference')


@tap.test('what is painted past the toolkit is there when the toolkit paints')
def _():
    machine = Machine(stage)
    machine.wait_screen()
    plain = dict(desk.env)
    desk.env = {**plain, 'G_MESSAGES_DEBUG': 'sumac-viewer'}
    program = viewer(machine.uri)
    desk.env = plain
    place = desk.wait_shown(machine, 'the screen in the window')
    check_typing(machine, place, 'past')
    wait_for(lambda: 'monitor 1 is painted from shared memory' in program.log, 20, 'painting past the toolkit')
    # Smaller, the pixels are others, and the window is as large as before in the end.
    window = desk.windows()[0]
    geometry = desk.geometry(window)
    desk.xdotool('windowsize', window, str(int(geometry['WIDTH']) // 2), str(int(geometry['HEIGHT']) // 2))
    wait_for(lambda: not find(desk.look(), machine.screendump()), 20, 'a smaller picture')
    desk.xdotool('windowsize', window, geometry['WIDTH'], geometry['HEIGHT'])
    place = desk.wait_shown(machine, 'the screen in its size again')
    check_typing(machine, place, 'and on')
    # What another window hid has to be painted anew, by the toolkit, from what it made before the typing.
    other = viewer()
    wait_for(lambda: len(desk.windows()) > 1, 30, 'another window')
    cover = next(id for id in desk.windows() if id != window)
    desk.xdotool('windowmove', cover, '0', '0', 'windowsize', cover, '1400', '1000')
    wait_for(lambda: desk.geometry(cover)['WIDTH'] == '1400', 20, 'a window over all of the screen')
    desk.wait_still()
    check(not find(desk.look(), machine.screendump()), 'the screen is not hidden')
    other.stop()
    desk.wait_shown(machine, 'the screen that was hidden')
    program.stop()
    machine.stop()


@tap.test('comes back when the machine does, without a question')
def _():
    port = free_port()
    machine = Machine(stage, plain=False, spice={'port': port})
    machine.wait_screen()
    program = viewer(f'spice://127.0.0.1:{port}')
    place = desk.wait_shown(machine, 'the screen in the window')
    before = desk.look()
    check_typing(machine, place, 'lost')
    shown = desk.look()
    machine.stop()
    # The last picture stays, darker, below words about the line.
    wait_for(lambda: shown.differences(desk.look()), 20, 'a sign that the line is lost')
    dark = desk.wait_still()
    check(dark.colours() > 8, 'the last picture is gone')
    typed = [at for at in all_pixels(shown) if before.pixel(*at) != shown.pixel(*at) and sum(shown.pixel(*at)) > 300]
    missing = sum(sum(dark.pixel(*at)) < 60 for at in typed)
    check(typed and not missing, f'of {len(typed)} pixels of typed text {missing} are not in the last picture')
    machine = Machine(stage, plain=False, spice={'port': port})
    machine.wait_screen()
    desk.wait_shown(machine, 'the screen again')
    check(program.is_running, f'the viewer ended: {program.log}')
    program.stop()
    machine.stop()


@tap.test('says when the machine does not answer, and shows it again when it does')
def _():
    machine = Machine(stage)
    machine.wait_screen()
    program = viewer(machine.uri)
    x, y = desk.wait_shown(machine, 'the screen in the window')

    def move():
        for _ in range(12):
            desk.xdotool('mousemove_relative', '7', '5')
    desk.click(x + 100, y + 100)  # which gives the machine the pointer
    # Motion is acknowledged, so that it is expected to be. The pointer is no part of these pictures.
    move()
    desk.wait_still()
    move()
    shown = desk.look()
    os.kill(machine.process.child.pid, signal.SIGSTOP)
    try:
        insist(lambda: (move(), wait_for(lambda: 'does not answer' in program.log, 10, 'word of silence')), 3)
        wait_for(lambda: shown.differences(desk.look()), 20, 'a card over the picture')
        check(desk.look().colours() > 8, 'the last picture is gone')
    finally:
        os.kill(machine.process.child.pid, signal.SIGCONT)
    desk.wait_shown(machine, 'the screen again')
    check('trying again' not in program.log and 'is closed' not in program.log, program.log)
    program.stop()
    machine.stop()


@tap.test('asks for a password, and again if it was wrong')
def _():
    machine = Machine(stage, password='right')
    machine.wait_screen()
    program = viewer(machine.uri)
    wait_for(lambda: 'password' in program.log, 20, 'the refusal')
    machine.insist(lambda: desk.answer('wrong'), lambda: program.log.count('is closed') >= 2, 'the second refusal')
    machine.insist(lambda: desk.answer('right'), lambda: find(desk.look(), machine.screendump()), 'the screen in the window', 15)
    check('CRITICAL' not in program.log, program.log)
    program.stop()
    machine.stop()


@tap.test('opens a connection file over TLS and removes it')
def _():
    certificates = Certificates(stage)
    machine = Machine(stage, password='short-lived', plain=False, certificates=certificates)
    machine.wait_screen()
    with open(certificates.ca, encoding='ascii') as file:
        authority = file.read().replace('\n', '\\n')
    path = stage.path('machine.vv')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'[virt-viewer]\ntype=spice\nhost=localhost\ntls-port={machine.tls_port}\npassword=short-lived\n'
                   f'ca={authority}\ntitle=From a file\ndelete-this-file=1\n')
    program = viewer(path)
    desk.wait_shown(machine, 'the screen in the window')
    check(not os.path.exists(path), 'the file with the password is still there')
    names = desk.run('xdotool', 'search', '--onlyvisible', '--name', '^From a file$').out.split()
    check(names, 'no window has the title of the file')
    check(not os.path.exists(stage.path('data/sumac/recent')) or
          'localhost' not in open(stage.path('data/sumac/recent'), encoding='utf-8').read(), 'the machine was remembered')
    program.stop()
    machine.stop()


@tap.test('is sharp where the desktop is larger: text by 125 and 150 percent, all by 200')
def _():
    machine = Machine(stage)
    machine.wait_screen()
    plain = dict(desk.env)
    for setting in {'GDK_DPI_SCALE': '1.25'}, {'GDK_DPI_SCALE': '1.5'}, {'GDK_SCALE': '2'}:
        desk.env = {**plain, **setting}
        program = viewer(machine.uri)
        desk.wait_shown(machine, f'the screen, pixel by pixel, with {setting}')
        program.stop()
    desk.env = plain
    machine.stop()


@tap.test('says what a server that means harm has done, and offers to try again')
def _():
    pretence = stage.start('pretence', [os.path.join(BUILD, 'tests', 'interop', 'pretend-machine'), 'hostile=1'])
    program = viewer(wait_for(lambda: re.search(r'address (\S+)\n', pretence.log), 20, 'an address').group(1))
    wait_for(lambda: 'broke the protocol' in program.log, 30, 'the end of its display')
    # No wheel turns any more: there is a button of the colour that is the toolkit's for what is suggested.
    wait_for(lambda: count_colour(desk.look(), SUGGESTED) > 2000, 30, 'a page with a button')
    check(program.is_running, program.log)
    check('CRITICAL' not in program.log, program.log)
    program.stop()
    pretence.stop()


@tap.test('refuses an address that is none')
def _():
    for address, word in (('spice://', 'address'), ('http://host:1', 'address'), ('/no/such/file.vv', 'file.vv')):
        result = desk.run(VIEWER, address)
        check(result.code in (1, 2), f'{address}: {result}')
        check(word in result.err, f'{address}: {result}')


@tap.test('tells over its start page what is wrong with a file that was clicked')
def _():
    path = stage.path('clicked.vv')
    with open(path, 'w', encoding='ascii') as file:
        file.write('[virt-viewer]\ntype=vnc\nhost=localhost\nport=5900\n')
    program = stage.start('viewer', [VIEWER, path], {**desk.env, 'DESKTOP_STARTUP_ID': 'desk-1'})
    wait_for(lambda: len(desk.windows()) > 1 or not program.is_running, 60, 'the start page and a message')
    check(program.is_running, f'the viewer ended without a word on the screen: {program.log}')
    message = desk.windows()[0]
    desk.wait_still()
    Machine.insist(lambda: desk.xdotool('windowfocus', message, 'key', 'Escape'), lambda: len(desk.windows()) == 1,
                   'the message closed')
    check(program.is_running and 'CRITICAL' not in program.log, program.log)
    program.stop()


@tap.test('says its version without a display')
def _():
    result = stage.run([VIEWER, '--version'])
    check_equal(result.code, 0, 'exit code')
    check(result.out.startswith('sumac-viewer '), repr(result))


with stage:
    tap.main()
