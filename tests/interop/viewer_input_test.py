#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Keyboard and pointer over the viewer's window, on X11 (xdotool) and on Wayland (a virtual keyboard and a virtual pointer on a
desktop of sway's), as they arrive at the machine: QEMU tells its input events."""

import os
import re
import time

from desk import Desk, SwayDesk
from peers import Machine, Stage
from tap import Tap, check, check_equal, wait_for

tap = Tap()
stage = Stage()


class Listener:
    """A machine that tells what arrives of keyboard and pointer."""

    def __init__(self, tablet=True, **options):
        self.machine = Machine(stage, extra=['-trace', 'input_event_*', *(['-usb', '-device', 'usb-tablet'] if tablet else [])],
                               agent=False, **options)
        self.machine.wait_screen()
        if tablet:  # no guest looks at it, so that QEMU must be told whose the pointer is
            mice = self.monitor('info mice')
            self.monitor('mouse_set ' + re.search(r'#(\d+): [^\n]*Tablet', mice).group(1))
        self.heard = 0

    def monitor(self, line):
        return self.machine.qmp('human-monitor-command', **{'command-line': line})

    def lines(self):
        """The whole lines that QEMU has written so far."""
        return self.machine.process.log.split('\n')[:-1]

    def listen(self):
        """What has arrived since the last time: 'f1 down', 'wheel-down up', 'x 123', …"""
        return [event for event in map(event_of, self.lines()[self.heard:]) if event]

    def forget(self):
        self.heard = len(self.lines())

    def expect(self, *events):
        """Waits for these events in this order, perhaps with others in between; returns all since the last time."""
        def heard():
            lines = self.lines()[self.heard:]
            found = [event for event in map(event_of, lines) if event]
            rest = iter(found)
            return (found, len(lines)) if all(event in rest for event in events) else None
        try:
            found, count = wait_for(heard, 30, f'{events}')
        except AssertionError as error:
            raise AssertionError(f'{error}; heard {self.listen()}') from None
        self.heard += count  # of what has come in the meantime nothing is lost
        return found

    def stop(self):
        self.machine.stop()


def event_of(line):
    found = re.match(r'input_event_(key_qcode|btn|rel|abs) con -?\d+, (?:key qcode|button|axis) (\S+), (down|value) (\S+)', line)
    if not found:
        return None
    kind, name, _, value = found.groups()
    if kind in ('key_qcode', 'btn'):
        return f'{name} {"down" if value == "1" else "up"}'
    number = int(value, 0)
    return f'{name} {number}' if kind == 'abs' or number else None  # QEMU tells motions of nothing with each button


def without_places(events):
    return [event for event in events if event[:2] not in ('x ', 'y ')]


def pressed(*names):
    """What a machine hears of keys pressed together and let go in reverse order."""
    return [f'{name} down' for name in names] + [f'{name} up' for name in reversed(names)]


@tap.test('X11: keys as the key map says, a wheel step by step, and all buttons')
def _():
    desk, listener = Desk(stage), Listener()
    program = desk.viewer('--auto-resize=never', '--keymap=F1=Shift_L+F2,b=', listener.machine.uri)
    x, y = desk.wait_shown(listener.machine, 'the screen in the window')
    desk.click(x + 360, y + 200)
    listener.expect('left down', 'left up')
    desk.xdotool('key', 'F1', 'key', 'b', 'key', 'a')
    check_equal(without_places(listener.expect('a up')), [*pressed('shift', 'f2'), *pressed('a')], 'keys')
    desk.xdotool('click', '--repeat', '3', '5', 'click', '4', 'click', '8', 'click', '9')
    check_equal(without_places(listener.expect('extra up')), pressed('wheel-down') * 3 + pressed('wheel-up') + pressed('side') +
                pressed('extra'), 'buttons')
    # The first pixel and the last one.
    desk.xdotool('mousemove', str(x), str(y))
    listener.expect('x 0', 'y 0')
    desk.xdotool('mousemove', str(x + 719), str(y + 399))
    events = listener.expect(f'x {0x7fff * 719 // 720}')
    check(any(event in events for event in (f'y {0x7fff * 399 // 400}', f'y {0x7fff * 399 // 400 + 1}')), f'{events}')
    program.stop()
    listener.stop()


@tap.test('Wayland: keys are the guest\'s, the desktop\'s own too, until Ctrl+Alt gives them back')
def _():
    desk, listener = SwayDesk(stage), Listener()
    program = desk.viewer('--auto-resize=never', listener.machine.uri)
    x, y = desk.wait_shown(listener.machine, 'the screen in the window')
    desk.move(x + 360, y + 200)
    desk.click()
    listener.expect('left down', 'left up')
    desk.press('alt', 'tab')
    desk.press('super')
    check_equal(without_places(listener.expect('meta_l up')), [*pressed('alt', 'tab'), *pressed('meta_l')], 'keys')
    check(not os.path.exists(desk.switched), 'the desktop took Alt+Tab, too')

    desk.press('ctrl', 'alt')
    listener.expect('ctrl up')
    # The compositor hears from the viewer that they are its own again, which takes a moment.
    wait_for(lambda: (desk.press('alt', 'tab'), os.path.exists(desk.switched))[1], 20, "the desktop's own Alt+Tab", 0.5)
    desk.press('a')
    desk.click()  # takes the keyboard again
    desk.press('b')
    heard = listener.expect('left down', 'left up', 'b down', 'b up')
    check('a down' not in heard and 'tab down' not in heard, f'keys after they were given back: {heard}')
    program.stop()
    listener.stop()


@tap.test('Wayland: the pointer is held, tells its motion, and is given back')
def _():
    desk, listener = SwayDesk(stage), Listener(tablet=False)
    program = desk.viewer('--auto-resize=never', listener.machine.uri)
    x, y = desk.wait_shown(listener.machine, 'the screen in the window')
    desk.move(x + 360, y + 200)
    desk.click()  # is for us
    # The lock is the compositor's to give; motion is heard once it has.
    wait_for(lambda: (desk.order('by 1 0'), listener.listen())[1], 20, 'motion of a held pointer')
    desk.click('side')
    heard = listener.expect('side down', 'side up')  # come behind all of that motion
    check('left down' not in heard, 'the click that took the pointer went on to the guest')
    for _ in range(4):
        desk.order('by 500 -300')  # far past any edge
    desk.click('side')
    heard = listener.expect('side down', 'side up')
    moved = {axis: sum(int(event.split()[1]) for event in heard if event.startswith(axis + ' ')) for axis in ('x', 'y')}
    check_equal(moved, {'x': 2000, 'y': -1200}, f'motion in {heard}')
    # High resolution: fractions add up.
    for _ in range(12):
        desk.order('glide 3')
    check_equal(listener.expect(*pressed('wheel-down') * 3), pressed('wheel-down') * 3, 'wheel')
    desk.press('ctrl', 'alt')
    listener.expect('ctrl up')
    # The viewer has to let go, and the compositor to hear of it.
    def is_free():
        listener.forget()
        desk.order('by 40 40')
        time.sleep(0.5)
        return not any(event.startswith('x ') for event in listener.listen())
    wait_for(is_free, 20, 'a pointer that is free')
    desk.order('by 40 40')
    desk.press('a')
    desk.click()  # takes it again, and is for us
    wait_for(lambda: (desk.order('by 0 1'), any(event.startswith('y ') for event in listener.listen()))[1], 20,
             'motion of a pointer held again')
    heard = listener.listen()
    check(not any(event.startswith(('x ', 'a ', 'left ')) for event in heard), f'heard though it was free: {heard}')
    program.stop()
    listener.stop()


@tap.test('Wayland: the picture is whole and the pointer where it points, at scales between whole ones')
def _():
    listener = Listener()
    for scale in 1.25, 1.5:
        desk = SwayDesk(stage, scale=scale)
        program = desk.viewer('--auto-resize=never', listener.machine.uri)
        wait_for(lambda: 'inputs channel 0 is open' in program.log, 30, 'the channels')
        # The toolkit draws for two pixels of the screen a logical one, and the compositor makes it smaller.
        wide, high = 720 * scale / 2, 400 * scale / 2
        desk.move(700, 20)  # the compositor draws the pointer into the picture

        def shown():
            left, top, right = picture_edges(desk.look()) or (0, 0, 0)
            return (left, top) if abs(right - left - wide) <= 3 else None

        left, top = wait_for(shown, 30, f'a picture {wide} pixels wide at {scale}')
        # As far from the left edge of the window as from the right one.
        check(abs(left - (desk.width - wide) / 2) <= 3, f'scale {scale}: the picture begins at {left}')
        listener.forget()
        for at_x, at_y in ((0.02, 0.03), (0.5, 0.5), (0.98, 0.97)):
            x, y = round(left + wide * at_x), round(top + high * at_y)
            desk.move(x, y)
            wanted = (x - left) / wide, (y - top) / high

            def arrived():
                heard = {event[0]: int(event.split()[1]) / 0x7fff for event in listener.listen() if event[:2] in ('x ', 'y ')}
                return len(heard) == 2 and all(abs(heard[axis] - want) < 0.006 for axis, want in zip('xy', wanted))
            try:
                wait_for(arrived, 20, 'the pointer')
            except AssertionError:
                check(False, f'scale {scale}: pointed at {wanted}, heard {listener.listen()}')
            listener.forget()
        program.stop()
        desk.stop()
    listener.stop()


def picture_edges(picture):
    """Where the test screen begins and where it ends to the right: left, top, right; None if it is not in sight."""
    def lit(x, y):
        start = (y * picture.width + x) * 3
        return max(picture.rgb[start:start + 3]) > 60
    middle = range(picture.width // 4, picture.width * 3 // 4, 2)
    rows = [y for y in range(120, picture.height) if any(lit(x, y) for x in middle)]
    # The desktop shows at the edges where the window has no whole number of pixels.
    columns = [x for x in range(8, picture.width - 8) if any(lit(x, y) for y in rows[:40])]
    return (columns[0], rows[0], columns[-1] + 1) if columns else None


with stage:
    tap.main()
