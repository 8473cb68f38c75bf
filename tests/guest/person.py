# SPDX-License-Identifier: MIT
"""What a person does with the reference's viewers and the guest with its stock agent: copies and pastes on both sides, drags a
file out of another program's window, gives a window another size. Windows are managed by openbox."""

import base64
import hashlib
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'interop'))
from desk import Desk
from peers import BUILD
from pictures import Picture
from tap import check, check_equal, note, wait_for

# SUMAC_DROP_MB=50 gives the figures of docs/performance.md.
DROP_BYTES = int(os.environ.get('SUMAC_DROP_MB', '8')) << 20
TEXT = 'Käse, 乳酪 & "quotes"\nsecond line\n'


def small_picture(stage, blue):
    # Small: the serial console takes lines of 4096 characters.
    picture = Picture(16, 12, bytes(x * 16 if c == 0 else y * 20 if c == 1 else blue
                                    for y in range(12) for x in range(16) for c in range(3)))
    path = stage.path('picture.png')
    picture.save(path)
    with open(path, 'rb') as file:
        return picture, file.read()


class ManagedDesk(Desk):
    def __init__(self, stage):
        super().__init__(stage)
        stage.start('openbox', ['openbox'], self.env)


class Person:
    """At `desk`, where the viewer's windows have titles that match `title`."""

    def __init__(self, stage, desk, machine, title):
        self.stage, self.desk, self.machine, self.title = stage, desk, machine, title

    def windows(self):
        """Those of the viewer, one a display."""
        return self.desk.run('xdotool', 'search', '--onlyvisible', '--name', self.title).out.split()

    def place(self, window):
        """Left, top, width, height on the screen."""
        found = dict(re.findall(r'(\w+)=(-?\d+)', self.desk.xdotool('getwindowgeometry', '--shell', window)))
        return [int(found[key]) for key in ('X', 'Y', 'WIDTH', 'HEIGHT')]

    def middle(self, window):
        left, top, width, height = self.place(window)
        return left + width // 2, top + height // 2

    def activate(self):
        # What is copied here is offered to the guest by a window that has the focus.
        self.desk.xdotool('windowactivate', '--sync', self.windows()[0])

    def in_guest(self, pattern, command, what, timeout=60):
        return wait_for(lambda: re.search(pattern, self.machine.run(command, timeout=90, check=False)), timeout, what, 0.5)

    def path_of(self, name, data):
        path = self.stage.path(name)
        with open(path, 'wb') as file:
            file.write(data)
        return path

    # ---- the clipboards ----

    def copy_here(self, data, target):
        self.stage.start('xclip', ['xclip', '-quiet', '-selection', 'clipboard', '-t', target, '-i', self.path_of('copied', data)],
                         self.desk.env)

    def paste_here(self, target):
        out = self.stage.path('pasted')
        result = self.desk.run('sh', '-c', f'xclip -o -selection clipboard -t {target} >{out}', timeout=20)
        with open(out, 'rb') as file:
            return file.read() if result.code == 0 else b''

    def copy_there(self, data, target):
        self.machine.run(f'echo {data.hex()} | perl -pe \'chomp; $_ = pack "H*", $_\' >/tmp/copied')
        self.machine.run(f'setsid xclip -selection clipboard -t {target} -i /tmp/copied >/dev/null 2>&1 &')

    def paste_there(self, target):
        self.machine.run(f'timeout 40 xclip -o -selection clipboard -t {target} >/tmp/pasted 2>/dev/null', timeout=90, check=False)
        return base64.b64decode(self.machine.run('base64 -w0 /tmp/pasted').strip())

    def is_picture(self, data, picture):
        if not data.startswith(b'\x89PNG'):
            return False
        return not picture.differences(Picture.load(self.path_of('found.png', data)))

    def passes_text(self):
        self.machine.insist(lambda: (self.activate(), self.copy_there(TEXT.encode(), 'UTF8_STRING')),
                            lambda: self.paste_here('UTF8_STRING') == TEXT.encode(), 'the text here')
        back = TEXT.encode() + b'back'
        self.machine.insist(lambda: (self.activate(), self.copy_here(back, 'UTF8_STRING')),
                            lambda: self.paste_there('UTF8_STRING') == back, 'the text in the guest')

    def passes_pictures(self):
        picture, data = small_picture(self.stage, 77)
        self.machine.insist(lambda: (self.activate(), self.copy_there(data, 'image/png')),
                            lambda: self.is_picture(self.paste_here('image/png'), picture), 'the picture here')
        picture, data = small_picture(self.stage, 200)
        self.machine.insist(lambda: (self.activate(), self.copy_here(data, 'image/png')),
                            lambda: self.is_picture(self.paste_there('image/png'), picture), 'the picture in the guest')

    # ---- its window ----

    def resizes(self, frame_width, frame_height, sizes):
        """Gives the window `sizes`; the frame is what of it is at most not the guest's, in pixels."""
        window = self.windows()[0]
        for width, height in sizes:
            def fits():
                size = self.machine.screendump().size
                return width - frame_width <= size[0] <= width and height - frame_height <= size[1] <= height
            start = time.monotonic()
            self.desk.xdotool('windowsize', window, str(width), str(height))
            wait_for(fits, 60, f'a screen that fits into a window of {width} x {height}')
            note(f'{(time.monotonic() - start) * 1000:.0f} ms from the window to the guest')
            self.desk.wait_shown(self.machine, 'the whole screen in the window')
            check(fits(), f'{self.machine.screendump().size} in {width} x {height}')

    def drags_a_file(self):
        """Onto the middle of the first window; it arrives whole in the guest's folder for files."""
        desk, machine = self.desk, self.machine
        data = os.urandom(DROP_BYTES)
        source = self.stage.start('drag-source', [os.path.join(BUILD, 'tests', 'interop', 'drag-source'),
                                                  self.path_of('dropped', data)], desk.env)
        named = wait_for(lambda: desk.run('xdotool', 'search', '--onlyvisible', '--name', '^drag-source').out.split(), 30,
                         'a window to drag from')[-1]
        window = self.windows()[0]
        desk.xdotool('windowmove', window, '20', '60')
        desk.xdotool('windowmove', named, '1100', '20')
        wait_for(lambda: self.place(window)[0] < 60 and self.place(named)[0] > 1000, 30, 'windows side by side')
        desk.wait_still()

        def drag():
            (x, y), (to_x, to_y) = self.middle(named), self.middle(window)
            desk.xdotool('mousemove', str(x), str(y), 'mousedown', '1')
            for step in range(1, 11):
                desk.xdotool('mousemove', str(x + (to_x - x) * step // 10), str(y + (to_y - y) * step // 10), 'sleep', '0.05')
            # Whoever asks what is dragged has to be answered before the button goes up.
            desk.xdotool('sleep', '1', 'mouseup', '1')

        def state():
            # The agent makes the file whole before it fills it: it has arrived when nobody has it open.
            return machine.run('ls /home/user/in; for p in $(pgrep -x spice-vdagent); do ls -l /proc/$p/fd; done '
                               '| grep -c home/user/in/', check=False).split()
        # A mouse is quicker than a busy machine, which may miss what it does. One more drag than needed is one more file.
        start, _ = machine.insist(drag, lambda: 'dropped' in state(), 'a file in the guest', 15)
        wait_for(lambda: state()[:1] + state()[-1:] == ['dropped', '0'], 120 + DROP_BYTES / 5e5, 'the end of the file', 0.3)
        took_s = time.monotonic() - start
        note(f'{DROP_BYTES / 1e6 / took_s:.2f} MB/s')
        check_equal(machine.run('sha256sum /home/user/in/dropped', timeout=120).split()[0], hashlib.sha256(data).hexdigest(),
                    'the checksum')
        source.stop()
