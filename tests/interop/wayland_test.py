#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The viewer on a Wayland desktop: what it shows, keys, and the pointer that a guest without a tablet moves itself."""

import re

from desk import WaylandDesk, find
from peers import Machine, Stage
from tap import Tap, check, wait_for

tap = Tap()
stage = Stage()
desk = WaylandDesk(stage)


def moved(machine, axis):
    """How far the guest's mouse was moved, of all there was."""
    return sum(int(value) for value in re.findall(rf'input_event_rel .*axis {axis}, value (-?\d+)', machine.process.log))


def let_go(desk=desk):
    """The keys that give keyboard and pointer back. (Weston holds on to a pointer whose program died with it.)"""
    for action, key in ('keydown', 'Control_L'), ('keydown', 'Alt_L'), ('keyup', 'Alt_L'), ('keyup', 'Control_L'):
        desk.xdotool(action, key)


@tap.test('shows a machine and types')
def _():
    machine = Machine(stage)
    machine.wait_screen()
    program = desk.viewer('--auto-resize=never', machine.uri)
    place = desk.wait_shown(machine, 'the screen in the window')
    before = machine.screendump()
    desk.click(place[0] + before.width // 2, place[1] + before.height // 2)
    desk.xdotool('type', '--delay', '60', 'wayland')
    wait_for(lambda: before.differences(machine.screendump()), 20, 'typed text on the screen')
    machine.wait_still(1.0)
    let_go()
    desk.wait_shown(machine, 'the screen with the typed text')
    program.stop()
    machine.stop()


@tap.test("holds the pointer while the guest moves its own, past the screen's edge, and lets it go")
def _():
    machine = Machine(stage, extra=['-trace', 'input_event_rel'])
    machine.wait_screen()
    program = desk.viewer('--auto-resize=never', machine.uri)
    place = desk.wait_shown(machine, 'the screen in the window')
    desk.click(place[0] + 300, place[1] + 200)  # takes hold
    wait_for(lambda: (desk.xdotool('mousemove_relative', '--', '3', '0'), moved(machine, 'x'))[1] > 0, 20, 'motion in the guest')
    # Weston's own pointer stays where it is, so this would take it over the edge of its screen, were it not held.
    before = moved(machine, 'x')
    for _ in range(60):
        desk.xdotool('mousemove_relative', '--', '10', '-2')
    wait_for(lambda: moved(machine, 'x') - before >= 400, 20, 'the motion')
    check(moved(machine, 'y') < 0, 'no motion upwards')
    let_go()
    # Motion on its way arrives; then there is none, wherever the pointer goes.
    desk.wait_still()
    after = moved(machine, 'x')
    for _ in range(20):
        desk.xdotool('mousemove_relative', '--', '-10', '0')
    desk.wait_still()
    check(moved(machine, 'x') == after, 'the guest still has the pointer')
    program.stop()
    machine.stop()


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
