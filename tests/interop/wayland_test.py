#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The viewer on a Wayland desktop: what it shows, and where."""

import os

from desk import SwayDesk, WaylandDesk, find
from peers import Machine, Stage
from pictures import Picture
from tap import Tap, check_equal, wait_for

tap = Tap()
stage = Stage()


def let_go(desk):
    """The keys that give keyboard and pointer back."""
    for action, key in ('keydown', 'Control_L'), ('keydown', 'Alt_L'), ('keyup', 'Alt_L'), ('keyup', 'Control_L'):
        desk.xdotool(action, key)


@tap.test('is sharp where two pixels of the screen are one of the desktop')
def _():
    fine = WaylandDesk(stage, width=800, height=600, scale=2)
    machine = Machine(stage)
    machine.wait_screen()
    program = fine.viewer('--auto-resize=never', machine.uri)
    fine.wait_shown(machine, 'the screen, pixel by pixel')
    program.stop()
    machine.stop()


@tap.test('fills a screen of its own with each monitor')
def _():
    wide = WaylandDesk(stage, width=1100, height=850, outputs=2)
    machine = Machine(stage, extra=['-device', 'secondary-vga'])
    machine.wait_screen()
    program = wide.viewer('--auto-resize=never', machine.uri)
    wait_for(lambda: 'display channel 1 is open' in program.log, 30, 'the second monitor')
    wide.wait_still()
    let_go(wide)
    # Which window has the keyboard is the compositor's choice; full screen is for both.
    wide.xdotool('key', 'F11')

    def fills():
        picture = wide.look()
        x, y = find(picture, machine.screendump()) or (0, 0)
        corners = [picture.rgb[(5 * picture.width + left + 5) * 3:][:3] for left in (0, 1100)]
        return (x, y) == ((1100 - 720) // 2, (850 - 400) // 2) and corners == [bytes(3)] * 2

    wait_for(fills, 30, 'the first monitor in the middle of the first screen, and no desktop to be seen')
    program.stop()
    machine.stop()


@tap.test('has all monitors in one window as it is remembered, beside each other')
def _():
    wide = SwayDesk(stage, width=1500, height=800)
    machine = Machine(stage, extra=['-device', 'secondary-vga,id=second'])
    first = machine.wait_screen()
    target = stage.path('second.ppm')
    machine.qmp('screendump', filename=target, device='second')
    second = Picture.load(target)
    folder = os.path.join(stage.home, '.config', 'sumac')
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, 'machines'), 'w', encoding='ascii') as file:
        file.write(f'[{machine.uri}]\none-window=true\n')
    program = wide.viewer('--auto-resize=never', machine.uri)

    def cut(picture, x, y, size):
        rows = (picture.rgb[((y + i) * picture.width + x) * 3:][:size[0] * 3] for i in range(size[1]))
        return b''.join(rows)

    def beside():
        shot = wide.look()
        place = find(shot, first)
        return place and cut(shot, place[0] + first.width, place[1], second.size) == second.rgb and place
    x, y = wait_for(beside, 30, 'the second monitor to the right of the first')
    check_equal(x, (1500 - first.width - second.width) // 2, 'where the first monitor begins')
    program.stop()
    machine.stop()


with stage:
    tap.main()
