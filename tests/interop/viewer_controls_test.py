#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The viewer's controls and menus in each language: names for whoever does not see them, Tab that leads to each, and keys
that are nobody else's."""

import os
import re

from desk import Desk, SwayDesk
from peers import BUILD, ROOT, Machine, Stage
from tap import Tap, check, check_equal, wait_for

tap = Tap()
stage = Stage()
desk = Desk(stage)
LOCALES = os.path.join(BUILD, 'po')
with open(os.path.join(ROOT, 'po', 'LINGUAS'), encoding='ascii') as linguas:
    LANGUAGES = ['en', *(line.strip() for line in linguas if line.strip() and not line.startswith('#'))]


def check_controls(machine, language):
    image = stage.path('image.iso')
    with open(image, 'wb') as file:
        file.write(bytes(64 * 2048))
    # A context of the toolkit's own that keeps what is told to it.
    env = {**desk.env, 'GTK_A11Y': 'test', 'LANGUAGE': language, 'XDG_CONFIG_HOME': stage.path('config')}
    result = stage.run([os.path.join(BUILD, 'tests', 'interop', 'viewer-controls'), LOCALES, machine.uri, image], 120, env)
    print(f'# {language}: {result.out.splitlines()[-1:]}')
    check(result.code == 0, f'{language}: {result}')
    counts = re.search(r'^(\d+) controls, (\d+) of them by Tab, (\d+) entries, 0 faults$', result.out, re.M)
    check(counts and all(int(count) > 40 for count in counts.groups()), f'{language}: too little was looked at: {result}')
    check(('“Send keys”' in result.out) == (language == 'en'), f'the words are not those of {language}: {result}')
    check('CRITICAL' not in result.err, result.err)


@tap.test('each control has a name, is met by Tab, and each entry of a menu has a key of its own, in every language')
def _():
    machine = Machine(stage, extra=['-usb', '-chardev', 'spicevmc,id=usb,name=usbredir', '-device', 'usb-redir,chardev=usb'])
    machine.wait_screen()
    for language in LANGUAGES:
        check_controls(machine, language)
    machine.stop()


@tap.test('a menu has no black frame where the desktop does not composite')
def _():
    machine = Machine(stage)
    machine.wait_screen()
    program = desk.viewer('--auto-resize=never', '--view-only', machine.uri)
    desk.wait_shown(machine, 'the screen in the window')
    window, = desk.windows()

    def menu():
        return [found for found in desk.windows() if found != window]
    _, (popup, *_) = machine.insist(lambda: desk.xdotool('windowfocus', window, 'key', 'F10'), menu, 'a menu')
    screen = desk.wait_still()
    place = dict(line.split('=') for line in desk.xdotool('getwindowgeometry', '--shell', popup).split())
    left, top, width, height = (int(place[name]) for name in ('X', 'Y', 'WIDTH', 'HEIGHT'))
    right, bottom = min(left + width, screen.width) - 1, min(top + height, screen.height) - 1
    edges = [*((x, y) for x in range(left, right + 1) for y in (top, bottom)),
             *((x, y) for y in range(top, bottom + 1) for x in (left, right))]
    black = sum(max(screen.rgb[(y * screen.width + x) * 3:][:3]) < 40 for x, y in edges)
    if black:
        stage.keep_pictures(menu=screen)
    check_equal(black, 0, f'black pixels of {len(edges)} at the edges of the menu')
    program.stop()
    machine.stop()


@tap.test('in full screen, too, F10 opens the menu')
def _():
    machine = Machine(stage)
    machine.wait_screen()
    wayland = SwayDesk(stage, 1100, 900)  # an X screen without a window manager has no full screen
    program = wayland.viewer('--auto-resize=never', '--full-screen', machine.uri)
    wayland.wait_shown(machine, 'the screen, full')
    before = wayland.wait_still()
    wayland.press('ctrl', 'alt')
    wayland.press('f10')
    wait_for(lambda: before.differences(wayland.look()), 30, 'a menu')
    wayland.wait_still()
    wayland.press('d')
    check_equal(program.wait(30), 0, 'exit code after its Disconnect')
    check('CRITICAL' not in program.log, program.log)
    wayland.stop()
    machine.stop()


@tap.test('by keys alone into a dialog, out of it, and back to the machine')
def _():
    machine = Machine(stage)
    machine.wait_screen()
    wayland = SwayDesk(stage, 1100, 900)
    program = wayland.viewer('--auto-resize=never', machine.uri)
    wayland.wait_shown(machine, 'the screen in the window')

    def has_keyboard():
        before = machine.screendump()
        wayland.press('q')  # is shown by a machine that gets it
        try:
            return wait_for(lambda: before.differences(machine.screendump()), 0.5, 'a key on the screen')
        except AssertionError:
            return False
    wait_for(has_keyboard, 30, 'the keyboard in the machine')
    for key in 'uta':  # USB, details, what this program is
        wayland.press('ctrl', 'alt')
        machine.wait_still(1.0)  # so that nothing shown late is taken for the next key
        check(not has_keyboard(), 'the machine did not give the keyboard back')
        bare = wayland.wait_still()
        wayland.press('f10')
        wait_for(lambda: bare.differences(wayland.look()), 30, 'a menu')
        menu = wayland.wait_still()
        wayland.press(key)
        wait_for(lambda: menu.differences(wayland.look()), 30, f'the dialog of {key}')
        wayland.wait_still()
        wayland.press('esc')
        wait_for(lambda: (wayland.press('tab'), has_keyboard())[1], 30, f'the keyboard after the dialog of {key}')
    check('CRITICAL' not in program.log, program.log)
    program.stop()
    wayland.stop()
    machine.stop()


with stage:
    tap.main()
