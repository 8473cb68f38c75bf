# SPDX-License-Identifier: MIT
"""Our viewer on a screen of its own, looked at from outside: pictures of the screen, keys and clicks by xdotool. On X11
there is no window manager, so the pointer says who has the focus. On Wayland the compositor is Weston, itself a window on an
X screen, so that the same eyes and hands serve both."""

import os
import re
import tempfile

from peers import BUILD
from pictures import Picture
from tap import check, insist, wait_for

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
        looks = [self.look()]

        def is_still():
            looks.append(self.look())
            return not looks[-2].differences(looks[-1])
        wait_for(is_still, 60, 'a desktop that stands still')
        return looks[-1]

    def choose(self, *keys):
        """Opens our viewer's menu and chooses, all by keys, which the guest has to give back first."""
        def press(key):
            before = self.wait_still()
            self.xdotool('key', key)
            wait_for(lambda: before.differences(self.look()), 10, f'the menu after {key}')

        def open_menu():  # a machine that is slow to give the keys back gets F10 as well
            self.xdotool('key', 'Control_L+Alt_L')
            press('F10')
        insist(open_menu)
        for key in keys[:-1]:
            press(key)
        self.wait_still()
        self.xdotool('key', keys[-1])

    def windows(self):
        """Those of our viewer that are in sight, its dialogs among them."""
        return self.run('xdotool', 'search', '--onlyvisible', '--class', 'sumac').out.split()

    def geometry(self, window):
        """X, Y, WIDTH and HEIGHT of a window, as words."""
        return dict(line.split('=') for line in self.run('xdotool', 'getwindowgeometry', '--shell', window).out.split())

    def answer(self, *texts):
        """Types into a dialog once it is in sight and has the focus, a field after the other, instead of what is in it."""
        wait_for(lambda: len(self.windows()) > 1, 30, 'a dialog')
        self.wait_still()
        for text in texts:
            self.xdotool('key', 'ctrl+a', 'type', '--delay', '40', text)
            self.xdotool('key', 'Return')

    def wait_shown(self, machine, what, timeout=60):
        """Waits until the machine's screen is in sight, pixel by pixel; returns where."""
        seen = {}

        def is_in_sight():
            seen.update(screen=self.look(), device=machine.screendump())
            return find(seen['screen'], seen['device'])
        try:
            return wait_for(is_in_sight, timeout, what, 0.3)
        except AssertionError:
            self.stage.keep_pictures(**seen)
            raise


WESTON_SETTINGS = """[core]
idle-time=0
[shell]
panel-position=none
locking=false
animation=none
startup-animation=none
background-color=0xff405060
"""


class WaylandDesk(Desk):
    """A Wayland desktop of Weston's; `scale` pixels of the screen are one of the desktop."""

    def __init__(self, stage, width=1400, height=1000, scale=1, outputs=1):
        super().__init__(stage, f'{width * scale * outputs + 40}x{height * scale + 40}')
        runtime = tempfile.mkdtemp(prefix='runtime-', dir=stage.folder)
        settings = os.path.join(runtime, 'weston.ini')
        with open(settings, 'w', encoding='ascii') as file:
            file.write(WESTON_SETTINGS)
        self.env['XDG_RUNTIME_DIR'] = runtime
        compositor = stage.start('weston', [
            'weston', '--backend=x11-backend.so', '--use-pixman', f'--config={settings}', '--socket=sumac',
            f'--width={width}', f'--height={height}', f'--scale={scale}', f'--output-count={outputs}'], self.env)
        self.corner = width * scale - 2, height * scale - 2
        # Its desktop is there once the background is.
        wait_for(lambda: 'desktop-shell' in compositor.log and
                 os.path.exists(os.path.join(runtime, 'sumac')) and self.look().colours() > 1, 30, 'a Wayland desktop')
        self.env.update(WAYLAND_DISPLAY='sumac', GDK_BACKEND='wayland')
        # Its outputs are windows, all in the same corner. One may be in sight before the next.
        def found():
            windows = self.run('xdotool', 'search', '--onlyvisible', '--class', 'weston').out.split()
            return windows if len(windows) >= outputs else None
        windows = wait_for(found, 30, f'{outputs} outputs')
        for number, window in enumerate(windows):
            self.xdotool('windowmove', window, str(number * width * scale), '0')
        self.xdotool('windowfocus', windows[0])  # the pointer would give it, were it there by chance

    def look(self):
        # The compositor draws the pointer into the picture. In two steps: one that was held is not where X has it.
        x, y = self.corner
        self.xdotool('mousemove', str(x - 1), str(y), 'mousemove', str(x), str(y))
        return super().look()


SWAY_SETTINGS = """xwayland disable
default_border none
output HEADLESS-1 resolution {width}x{height} position 0 0 scale {scale} background #405060 solid_color
focus_follows_mouse no
input * repeat_delay 100000
seat * hide_cursor 0
bindsym Mod1+Tab exec touch {switched}
"""

# Codes of evdev.
KEYS = {'esc': 1, 'minus': 12, 'equal': 13, 'tab': 15, 'enter': 28, 'ctrl': 29, 'shift': 42, 'comma': 51, 'dot': 52, 'slash': 53,
        'alt': 56, 'space': 57, 'f10': 68, 'f11': 87, 'f12': 88, 'left': 105, 'right': 106, 'up': 103, 'down': 108, 'super': 125}
for first, row in (2, '1234567890'), (16, 'qwertyuiop'), (30, 'asdfghjkl'), (44, 'zxcvbnm'):
    KEYS.update({name: code for code, name in enumerate(row, first)})
KEYS.update({f'f{number}': 58 + number for number in range(1, 10)})
BUTTONS = {'left': 0x110, 'right': 0x111, 'middle': 0x112, 'side': 0x113, 'extra': 0x114}


class SwayDesk:
    """A Wayland desktop of sway's without any hardware. Keyboard and pointer are `wayland-hands`, which stay for as long as the
    desktop does; `width` and `height` are pixels of the screen, `scale` of which are one of the desktop."""

    def __init__(self, stage, width=1400, height=1000, scale=1):
        self.stage, self.width, self.height, self.scale = stage, width, height, scale
        runtime = tempfile.mkdtemp(prefix='runtime-', dir=stage.folder)
        os.chmod(runtime, 0o700)
        self.switched = os.path.join(runtime, 'switched')  # exists once the desktop's own Alt+Tab was pressed
        settings = os.path.join(runtime, 'config')
        with open(settings, 'w', encoding='ascii') as file:
            file.write(SWAY_SETTINGS.format(width=width, height=height, scale=scale, switched=self.switched))
        self.env = {'XDG_RUNTIME_DIR': runtime, 'WLR_BACKENDS': 'headless', 'WLR_LIBINPUT_NO_DEVICES': '1',
                    'WLR_RENDERER': 'pixman', 'GSK_RENDERER': 'cairo', 'GTK_A11Y': 'none',
                    'XDG_DATA_HOME': stage.path('data')}
        # Sway does not run as root; without a name for its user it cannot tell, and owns its files all the same.
        nobody = ['unshare', '--user'] if os.geteuid() == 0 else []
        self.compositor = compositor = stage.start('sway', [*nobody, 'sway', '--config', settings], self.env)
        found = wait_for(lambda: [name for name in os.listdir(runtime) if re.fullmatch(r'wayland-\d+', name)], 30,
                         f'a desktop of sway: {compositor.log}')
        self.env.update(WAYLAND_DISPLAY=found[0], GDK_BACKEND='wayland')
        self.pipe = os.path.join(runtime, 'hands')
        os.mkfifo(self.pipe)
        self.hands = stage.start('hands', [os.path.join(BUILD, 'tests', 'interop', 'wayland-hands'), self.pipe], self.env)
        wait_for(lambda: 'ready' in self.hands.log, 30, f'hands on the desktop: {self.hands.log} {compositor.log}')
        self.lines = open(self.pipe, 'w', encoding='ascii')
        self.orders = 0

    def order(self, line):
        self.lines.write(line + '\n')
        self.lines.flush()
        self.orders += 1
        wait_for(lambda: self.hands.log.count('done') >= self.orders, 30, f'{line}: {self.hands.log}', 0.01)

    def viewer(self, *arguments):
        return self.stage.start('viewer', [VIEWER, '--debug', *arguments], self.env)

    def press(self, *names):
        """Presses the keys together, then lets them go in reverse order."""
        for name in names:
            self.order(f'key {KEYS[name]} 1')
        for name in reversed(names):
            self.order(f'key {KEYS[name]} 0')

    def move(self, x, y):
        """To a pixel of the screen."""
        self.order(f'move {x} {y} {self.width} {self.height}')

    def click(self, name='left'):
        self.order(f'button {BUTTONS[name]} 1')
        self.order(f'button {BUTTONS[name]} 0')

    def look(self):
        target = tempfile.mktemp(suffix='.ppm', dir=self.stage.folder)
        result = self.stage.run(['grim', '-t', 'ppm', target], 60, self.env)
        check(result.code == 0, f'no picture of the screen: {result}')
        return Picture.load(target)

    def command(self, words):
        """Has sway do something, in its own language."""
        sockets = [name for name in os.listdir(self.env['XDG_RUNTIME_DIR']) if name.startswith('sway-ipc')]
        result = self.stage.run(['swaymsg', '--socket', os.path.join(self.env['XDG_RUNTIME_DIR'], sockets[0]), words], 60, self.env)
        check(result.code == 0, f'{words}: {result}')

    def stop(self):
        self.hands.stop()
        self.compositor.stop()

    wait_still = Desk.wait_still
    wait_shown = Desk.wait_shown
