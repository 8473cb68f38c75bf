#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The viewer on a Wayland desktop: what it shows, and where."""

from desk import WaylandDesk, find
from peers import Machine, Stage
from tap import Tap, wait_for

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


with stage:
    tap.main()
