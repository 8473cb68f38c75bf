#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The viewer in a window under Xvfb, looked at from outside: pictures of the X screen, keys and clicks by xdotool. It has no
window manager there, so the pointer says who has the focus."""

import os
import tempfile

from peers import BUILD, Machine, Stage, free_port
from pictures import Picture
from tap import Tap, check, check_equal, wait_for

VIEWER = os.path.join(BUILD, 'viewer', 'sumac-viewer')

tap = Tap()
stage = Stage()
display = stage.x_server('1400x1000')
# Drawn by the processor: the same pixels everywhere.
env = {'DISPLAY': display, 'GDK_BACKEND': 'x11', 'GSK_RENDERER': 'cairo', 'XDG_DATA_HOME': stage.path('data'),
       'GTK_A11Y': 'none'}


def look():
    """The X screen."""
    target = tempfile.mktemp(suffix='.png', dir=stage.folder)
    result = stage.run(['import', '-window', 'root', '-depth', '8', '-define', 'png:color-type=2', target], env=env)
    check(result.code == 0, f'no picture of the screen: {result}')
    return Picture.load(target)


def find(screen, picture):
    """Where `picture` is within `screen`, to the pixel; None if it is not."""
    def row(of, x, y, width):
        start = (y * of.width + x) * 3
        return of.rgb[start:start + width * 3]

    # A row with more than one colour tells the place; a plain one would be found anywhere.
    probe = next(y for y in range(picture.height) if len(set(zip(*[iter(row(picture, 0, y, picture.width))] * 3))) > 2)
    wanted = row(picture, 0, probe, picture.width)
    at = screen.rgb.find(wanted)
    while at >= 0:
        x, y = at // 3 % screen.width, at // 3 // screen.width - probe
        if at % 3 == 0 and 0 <= y <= screen.height - picture.height and all(
                row(screen, x, y + i, picture.width) == row(picture, 0, i, picture.width)
                for i in range(picture.height)):
            return x, y
        at = screen.rgb.find(wanted, at + 1)
    return None


def wait_shown(machine, what, timeout=60):
    """Waits until the machine's screen is in sight, pixel by pixel; returns where."""
    return wait_for(lambda: find(look(), machine.screendump()), timeout, what, 0.3)


def viewer(*arguments):
    return stage.start('viewer', [VIEWER, '--debug', '--auto-resize=never', *arguments], env)


def xdotool(*arguments):
    result = stage.run(['xdotool', *arguments], env=env)
    check(result.code == 0, f'xdotool {arguments}: {result}')


def click(x, y):
    xdotool('mousemove', str(x), str(y), 'click', '1')


def check_typing(machine, place, text):
    """Keys reach the guest, and what it shows of them comes back."""
    before = machine.screendump()
    click(place[0] + before.width // 2, place[1] + before.height // 2)
    wait_for(lambda: find_text_of_grab(), 20, 'the keyboard being taken')
    xdotool('type', '--delay', '60', text)
    wait_for(lambda: before.differences(machine.screendump()), 20, 'typed text on the screen')
    machine.wait_still(1.0)
    wait_shown(machine, 'the screen with the typed text')


def find_text_of_grab():
    """True once the viewer has the focus, as the X server tells."""
    return stage.run(['xdotool', 'getwindowfocus'], env=env).code == 0


def check_shown_and_typed(server):
    machine = Machine(stage, server=server)
    machine.wait_screen()
    program = viewer(machine.uri)
    place = wait_shown(machine, 'the screen in the window')
    check_typing(machine, place, 'viewer')
    program.stop()
    machine.stop()


@tap.test('shows a machine on our server, and types')
def _():
    check_shown_and_typed('ours')


@tap.test("shows a machine on the reference's server, and types")
def _():
    check_shown_and_typed('reference')


@tap.test('comes back when the machine does, without a question')
def _():
    port = free_port()
    machine = Machine(stage, plain=False, spice={'port': port})
    machine.wait_screen()
    program = viewer(f'spice://127.0.0.1:{port}')
    wait_shown(machine, 'the screen in the window')
    shown = look()
    machine.stop()
    # The last picture stays, darker, below words about the line.
    wait_for(lambda: shown.differences(look()), 20, 'a sign that the line is lost')
    check(look().colours() > 8, 'the last picture is gone')
    machine = Machine(stage, plain=False, spice={'port': port})
    machine.wait_screen()
    wait_shown(machine, 'the screen again')
    check(program.is_running, f'the viewer ended: {program.log}')
    program.stop()
    machine.stop()


@tap.test('asks for a password, and again if it was wrong')
def _():
    machine = Machine(stage, password='right')
    machine.wait_screen()
    program = viewer(machine.uri)
    wait_for(lambda: 'password' in program.log, 20, 'the refusal')
    # The dialog has the focus once it is in sight; keys before that get lost.
    asked = wait_for(lambda: still_screen(), 20, 'the question')
    xdotool('type', '--delay', '40', 'wrong')
    xdotool('key', 'Return')
    wait_for(lambda: program.log.count('is closed') >= 2, 20, 'the second refusal')
    wait_for(lambda: asked.differences(look()), 20, 'the question again')
    still_screen()
    xdotool('type', '--delay', '40', 'right')
    xdotool('key', 'Return')
    wait_shown(machine, 'the screen in the window')
    check('CRITICAL' not in program.log, program.log)
    program.stop()
    machine.stop()


def still_screen():
    last = look()
    while True:
        now = look()
        if not last.differences(now):
            return now
        last = now


@tap.test('opens a connection file over TLS and removes it')
def _():
    from peers import Certificates
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
    wait_shown(machine, 'the screen in the window')
    check(not os.path.exists(path), 'the file with the password is still there')
    names = stage.run(['xdotool', 'search', '--onlyvisible', '--name', '^From a file$'], env=env).out.split()
    check(names, 'no window has the title of the file')
    check(not os.path.exists(stage.path('data/sumac/recent')) or
          'localhost' not in open(stage.path('data/sumac/recent'), encoding='utf-8').read(), 'the machine was remembered')
    program.stop()
    machine.stop()


@tap.test('refuses an address that is none')
def _():
    for address, word in (('spice://', 'address'), ('http://host:1', 'address'), ('/no/such/file.vv', 'file.vv')):
        result = stage.run([VIEWER, address], env=env)
        check(result.code in (1, 2), f'{address}: {result}')
        check(word in result.err, f'{address}: {result}')


@tap.test('says its version without a display')
def _():
    result = stage.run([VIEWER, '--version'])
    check_equal(result.code, 0, 'exit code')
    check(result.out.startswith('sumac-viewer '), repr(result))


with stage:
    tap.main()
