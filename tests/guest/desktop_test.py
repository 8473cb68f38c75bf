# SPDX-License-Identifier: MIT
"""The guest's desktop on one server and one display device, seen and used by the reference's client and by ours.

usage: desktop_test.py ours|reference qxl|std|virtio [COMPRESSION]"""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'interop'))
import wire
from peers import Machine, Stage, shows_desktop
from tap import PATIENCE, Tap, check, check_equal, note, wait_for

server, vga = sys.argv[1:3]
spice = {'image-compression': sys.argv[3]} if len(sys.argv) > 3 else {}

tap = Tap()
stage = Stage()
machine = Machine(stage, server=server, vga=vga, guest=True, spice=spice)


def check_all_equal():
    """Both clients see what the device holds."""
    return machine.check_seen(('spicy-screenshot', stage.spicy_screenshot), ('sumac', stage.sumac_screenshot))


def sumac(*arguments):
    result = stage.sumac(*arguments)
    check_equal(result.code, 0, f'sumac {arguments}: {result}')
    return result


def window_at(name):
    """The place of a window's inside on the screen: x, y, width, height."""
    found = machine.run(f"xdotool search --onlyvisible --name '^{name}$' getwindowgeometry --shell")
    values = dict(line.split('=') for line in found.split('\n') if '=' in line)
    return tuple(int(values[key]) for key in ('X', 'Y', 'WIDTH', 'HEIGHT'))


def pointer_at():
    """The pointer's place on the guest's screen: x, y."""
    place = machine.run('xdotool getmouselocation').split()
    return tuple(int(value.split(':')[1]) for value in place[:2])


def is_near(place, spot):
    """Equal but for a pixel: the guest's agent scales coordinates to a tablet's and back, on any server."""
    return all(abs(found - wanted) <= 1 for found, wanted in zip(place, spot))


def active_window():
    return machine.run('xdotool getactivewindow getwindowname', check=False).strip()  # between two windows there is none


@tap.test('the guest boots to its desktop')
def _():
    picture = machine.wait_desktop()
    check(shows_desktop(picture), f'the screen ({picture.size}) is not the desktop')


@tap.test('spicy-screenshot and sumac see the desktop as it is')
def _():
    picture = check_all_equal()
    check(shows_desktop(picture), 'the screen is not the desktop')


def is_reading():
    """Whether the terminal has a program that takes what is typed into a file."""
    return machine.run('pgrep -x cat', check=False).strip() != ''


def read_into(path):
    """Has the terminal write what is typed to a file. The command comes from within the guest, which loses nothing of it."""
    machine.run(f'pkill -x cat; while pgrep -x cat; do sleep 0.2; done; rm -f {path}')
    machine.run("xdotool search --onlyvisible --name '^Terminal$' windowactivate --sync")
    wait_for(lambda: active_window() == 'Terminal', 20, 'the focus on the terminal')
    machine.run(f"xdotool type --delay 50 'cat >{path}'; xdotool key Return", timeout=120)
    wait_for(lambda: machine.run(f'ls {path}', check=False).strip() == path and is_reading(), 20, 'the command in the terminal')


def arrives(action, condition, what):
    """A guest on a busy host takes keys slowly, and a keyboard's queue is short, so that on any server some are lost: the
    action, a whole line, is repeated, slower each time."""
    for delay in '80ms', '160ms', '320ms', '640ms':
        try:
            action(delay)
            return wait_for(condition, 10, what)
        except AssertionError as error:
            note(error)
            for key in 'shift', 'ctrl', 'altgr':  # one whose release was lost
                sumac('key', machine.uri, key)
    raise AssertionError(f'{what}: not in four attempts')


@tap.test('text typed with sumac arrives in the terminal of the guest')
def _():
    text = 'Typed by sumac: AZ az 09 ~!@#$%^&*()_+`-={}|[]\\:";<>?,./'

    def type_line(delay):
        read_into('/tmp/typed')
        sumac('type', machine.uri, '--delay', delay, text + '\n')
        sumac('key', machine.uri, 'ctrl-d')
    arrives(type_line, lambda: machine.run('cat /tmp/typed', check=False).rstrip('\n') == text and not is_reading(),
            f'{text!r} and its end in the guest')
    check_all_equal()


def typed_into(path, text, *options, layout='us'):
    """What a terminal makes of keys, with the guest's layout set so."""
    read_into(path)
    machine.run(f'setxkbmap {layout}')

    def type_line(delay):
        # A guest that is slow to take the clipboard pastes nothing.
        wait_for(lambda: stage.sumac('type', machine.uri, text + '\n', '--delay', delay, *options, timeout=120).code == 0, 180,
                 'sumac type')
    try:
        arrives(type_line, lambda: text in machine.run(f'cat {path}', check=False), f'{text!r} in the guest')
    finally:
        machine.run('setxkbmap us')
    machine.run('pkill -x cat')


def on_one_machine(name):
    """What has nothing to do with the display device: once on each server."""
    is_one = vga == 'qxl' and spice.get('image-compression') != 'lz'
    return tap.test(name) if is_one else lambda function: function


@on_one_machine('text typed as on a German keyboard arrives as it is, dead keys included')
def _():
    typed_into('/tmp/german', 'Käse öß€@\\|~ {[]} ^`´ éêÈ zyZY', '--layout', 'de', layout='de')


@on_one_machine('text that no keyboard has is pasted')
def _():
    typed_into('/tmp/pasted', '乳酪 😀 Käse', '--paste', 'shift-insert')
    check_all_equal()


@tap.test('clicks move the focus between windows')
def _():
    for name in 'About', 'Terminal', 'About', 'Terminal':
        x, y, width, height = window_at(name)
        # The windows overlap: About is free at its upper left, Terminal at its lower right.
        spot = (x + 40, y + 30) if name == 'About' else (x + width - 40, y + height - 30)
        sumac('click', machine.uri, str(spot[0]), str(spot[1]))
        wait_for(lambda: active_window() == name, 20, f'the focus on {name}')
        # The window may have had the focus before the click, so that does not say that the pointer is there by now.
        wait_for(lambda: is_near(pointer_at(), spot), 20, f'the pointer at {spot}')
    check_all_equal()


@tap.test("the pointer's shape arrives, and changes with what is below it")
def _():
    address = ('127.0.0.1', machine.port)
    main, session = wire.open_main(address)
    cursor = wire.RawChannel(address, wire.CURSOR, session)
    check_equal(cursor.link(), 0, 'link result')
    wire.keep_alive(main)
    known, last, moves = {}, [], 0
    x, y, width, height = window_at('Terminal')

    def shape_at(spot):
        """Moves the pointer and returns its last shape; that of a slow guest may be the one before."""
        nonlocal moves
        moves += 1 # by a pixel and back: a busy guest may not have looked at the first one yet
        machine.run(f'xdotool mousemove {spot[0] + moves % 2} {spot[1]}')
        shape = wire.last_shape(cursor, known)
        if shape:
            last.append(shape)
        return last[-1] if last else None

    def both():
        shapes = [shape_at(spot) for spot in ((5, 5), (x + width // 2, y + height // 2)) * 2]
        arrow, beam, arrow_again, beam_again = (shape and shape.data for shape in shapes)
        return arrow and arrow != beam and (arrow, beam) == (arrow_again, beam_again) and shapes[:2]
    arrow, beam = wait_for(both, 120, 'one shape above the background, another above a terminal, and so again')
    main.close()
    cursor.close()
    for shape in arrow, beam:
        check(0 < shape.width <= 64 and 0 < shape.height <= 64, f'{shape.width}x{shape.height}')
        check(shape.hot_x < shape.width and shape.hot_y < shape.height, f'hot spot {shape.hot_x},{shape.hot_y}')
        check(any(shape.data), 'the shape is empty')


@tap.test('a changed resolution is followed')
def _():
    output = machine.run("xrandr | awk '/ connected/ { print $1 }'").strip().split('\n')[0]
    first = machine.screendump().size
    for mode in (800, 600), (1280, 1024), first:
        machine.run(f'xrandr --output {output} --mode {mode[0]}x{mode[1]}')
        wait_for(lambda: machine.screendump().size == mode, 20, f'the device in mode {mode}')
        check_equal(check_all_equal().size, mode, 'the size of the picture')


@tap.test("sumac follows while it is connected: wait sees the screen settle after a change")
def _():
    before = window_at('Terminal')
    results = []
    waiting = threading.Thread(target=lambda: results.append(
        stage.sumac('wait', machine.uri, '--stable', '2s', '--timeout', '60s', timeout=90)))
    waiting.start()
    machine.run("xdotool search --name '^Terminal$' windowmove 300 300")
    wait_for(lambda: window_at('Terminal')[:2] != before[:2], 60, 'the window to move')
    waiting.join()
    check_equal(results[0].code, 0, f'sumac wait: {results[0]}')
    check_all_equal()


@tap.test('ten clients one after the other all see the desktop')
def _():
    machine.check_seen(*[(f'client-{turn}', stage.spicy_screenshot if turn % 2 else stage.sumac_screenshot)
                         for turn in range(10)])


@tap.test('clients that die or stop reading while frames flow leave the machine running')
def _():
    machine.run("setsid xterm -title Busy -geometry 100x30+10+10 -e sh -c 'while :; do seq 1 2000; done' >/dev/null 2>&1 &")
    wait_for(lambda: machine.run('pgrep -f -c Busy', check=False).strip() != '0', 20, 'the busy terminal')
    address = ('127.0.0.1', machine.port)
    for size in 0, 7, 3000, 200000:
        main, session = wire.open_main(address)
        display = wire.open_display(address, session)
        display.socket.settimeout(10 * PATIENCE)
        try:
            display.receive(size)
        except (TimeoutError, EOFError):
            pass
        display.close(abruptly=True)
        main.close(abruptly=True)
    main, session = wire.open_main(address)
    stalled = [main, wire.open_display(address, session)]  # nobody reads these
    for _ in range(3):
        before = machine.screendump()
        wait_for(lambda: before.differences(machine.screendump()), 20, 'a guest that goes on beside a stalled client')
    display = stage.x_server()
    for _ in range(3):
        viewer = stage.start('spicy', ['spicy', f'--uri={machine.uri}'], {'DISPLAY': display})
        wait_for(lambda: len(machine.qmp('query-spice').get('channels') or []) >= 4, 30, 'channels of spicy')
        time.sleep(1)  # of frames
        viewer.kill()
        viewer.wait(10)
    wait_for(lambda: machine.run('pkill -f Busy; pgrep -f -c Busy', check=False).strip() == '0', 20, 'the end of the busy terminal')
    for channel in stalled:
        channel.close()
    check_all_equal()


@tap.test('the machine is alive and nothing was logged as critical')
def _():
    check_equal(machine.run('echo alive').strip(), 'alive', 'the guest')
    bad = [line for line in machine.process.log.split('\n')
           if any(word in line.lower() for word in ('critical', 'assert', 'sanitizer', 'abort'))]
    check_equal(bad, [], 'lines')


with stage:
    # On the reference's server our client is what is tested; its way with dying clients is its own. Standard VGA has no
    # pointer of its own: the guest paints one into the picture.
    left_out = ['die'] if server == 'reference' else []
    status = tap.run(without=left_out + (["pointer's shape"] if vga == 'std' else []))
sys.exit(status)
