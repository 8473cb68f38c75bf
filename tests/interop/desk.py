# SPDX-License-Identifier: MIT
"""Our viewer on an X screen of its own, looked at from outside: pictures of the screen, keys and clicks by xdotool. There is
no window manager, so the pointer says who has the focus."""

import os
import tempfile

from peers import BUILD
from pictures import Picture
from tap import check, wait_for

VIEWER = os.path.join(BUILD, 'viewer', 'sumac-viewer')


def find(screen, picture):
    """Where `picture` is within `screen`, to the pixel; None if it is not."""
    def row(of, x, y, width):
        start = (y * of.width + x) * 3
        return of.rgb[start:start + width * 3]

    # A row with more than two colours tells the place; a plain one would be found anywhere.
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


class Desk:
    """An X screen with what runs on it."""

    def __init__(self, stage, size='1400x1000'):
        self.stage = stage
        # Drawn by the processor: the same pixels everywhere.
        self.env = {'DISPLAY': stage.x_server(size), 'GDK_BACKEND': 'x11', 'GSK_RENDERER': 'cairo',
                    'XDG_DATA_HOME': stage.path('data'), 'GTK_A11Y': 'none'}

    def run(self, *command, timeout=60):
        return self.stage.run(list(command), timeout, self.env)

    def viewer(self, *arguments):
        return self.stage.start('viewer', [VIEWER, '--debug', *arguments], self.env)

    def xdotool(self, *arguments):
        result = self.run('xdotool', *arguments)
        check(result.code == 0, f'xdotool {arguments}: {result}')
        return result.out

    def click(self, x, y):
        self.xdotool('mousemove', str(x), str(y), 'click', '1')

    def look(self):
        """The whole screen."""
        target = tempfile.mktemp(suffix='.png', dir=self.stage.folder)
        result = self.run('import', '-window', 'root', '-depth', '8', '-define', 'png:color-type=2', target)
        check(result.code == 0, f'no picture of the screen: {result}')
        return Picture.load(target)

    def wait_still(self):
        """Waits until two looks show the same."""
        last = self.look()
        while True:
            now = self.look()
            if not last.differences(now):
                return now
            last = now

    def wait_shown(self, machine, what, timeout=60):
        """Waits until the machine's screen is in sight, pixel by pixel; returns where."""
        return wait_for(lambda: find(self.look(), machine.screendump()), timeout, what, 0.3)
