#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every command of sumac against QEMU, on our server and on the reference."""

import json
import os
import signal
import subprocess
import time

from peers import Machine, Stage, SUMAC
from pictures import Picture
from tap import Tap, check, check_equal, wait_for

tap = Tap()
stage = Stage()
machines = {}


def machine(server):
    """A machine with a tablet device that several tests use."""
    if server not in machines:
        machines[server] = Machine(stage, server=server, extra=['-usb', '-device', 'usb-tablet'])
        machines[server].wait_screen()
    return machines[server]


def on_both(name, attempts=1):
    """A test that runs on each server."""
    def keep(function):
        for server in ('reference', 'ours'):
            tap.test(f'{name} ({server})', attempts)(lambda server=server: function(machine(server)))
        return function
    return keep


def good(*arguments, **settings):
    """Runs a command that has to work; returns its report."""
    result = stage.sumac(*arguments, '--json', **settings)
    check_equal(result.code, 0, f'exit code ({result})')
    lines = [json.loads(line) for line in result.out.splitlines()]
    check(lines and all(line['ok'] for line in lines), f'{result}')
    return lines if len(lines) > 1 else lines[0]


def bad(code, kind, *arguments):
    """Runs a command that has to fail so; returns the cause."""
    result = stage.sumac(*arguments, '--json')
    check_equal(result.code, code, f'exit code ({result})')
    told = json.loads(result.out.splitlines()[-1])
    check_equal(told['error']['kind'], kind, 'kind')
    return told['error']['cause']


# ---- Pictures ----

@on_both('screenshot --every takes numbered pictures in its rhythm')
def series(shown):
    target = stage.path('series.png')
    start = time.monotonic()
    taken = good('screenshot', shown.uri, target, '--every', '300ms', '--count', '3')
    check(time.monotonic() - start >= 0.6, 'too fast')
    check_equal([os.path.basename(line['file']) for line in taken], [f'series-000{i}.png' for i in (1, 2, 3)], 'files')
    # Each in its turn; a busy machine may be late for one.
    check(all(line['at_ms'] >= 300 * number for number, line in enumerate(taken)), f'{taken}')
    truth = shown.screendump()
    for line in taken:
        check_equal(Picture.load(line['file']).differences(truth), None, line['file'])


@on_both('screenshot --every --changed leaves out what stands still; Ctrl-C ends it well')
def series_changed(shown):
    folder = stage.path(f'changed-{shown.uri[-5:]}')
    os.mkdir(folder)
    target = os.path.join(folder, 'a.png')
    child = subprocess.Popen([SUMAC, 'screenshot', shown.uri, target, '--every', '100ms', '--changed', '--json'],
                             stdout=subprocess.PIPE, text=True)
    wait_for(lambda: os.path.exists(os.path.join(folder, 'a-0001.png')), 20, 'the first picture')
    time.sleep(1.0)
    quiet = len(os.listdir(folder))
    check(quiet <= 4, f'{quiet} pictures of a screen that stands still')  # text cursors blink in some
    shown.send_keys('x')
    wait_for(lambda: len(os.listdir(folder)) > quiet, 20, 'the picture of a change')
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=60)
    check_equal(child.returncode, 0, f'exit code ({out})')
    check(all(json.loads(line)['ok'] for line in out.splitlines()), out)
    shown.send_keys('ret')


# ---- Films ----

def frames_of(film):
    """The times of a film's frames, in seconds."""
    result = stage.run(['ffprobe', '-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=pts_time', '-of',
                        'csv=p=0', film])
    check_equal(result.code, 0, f'{result}')
    return [float(line.rstrip(',')) for line in result.out.split()]


def picture_at(film, seconds):
    target = stage.path('frame.png')
    result = stage.run(['ffmpeg', '-v', 'error', '-y', '-i', film, '-vf', f"select='gte(t,{seconds})'", '-frames:v', '1',
                        '-update', '1', '-pix_fmt', 'rgb24', target])
    check_equal(result.code, 0, f'{result}')
    return Picture.load(target)


def mean_error(one, other, rows=None):
    """Of a byte; colours are coarser in films, so a screen of coloured text has 5 to 6."""
    check_equal(one.size, other.size, 'size')
    first, last = rows or (0, one.height)
    part = slice(first * one.width * 3, last * one.width * 3, 1 if rows else 97)
    pairs = list(zip(one.rgb[part], other.rgb[part]))
    return sum(abs(a - b) for a, b in pairs) / len(pairs)


@on_both('record films what is seen, when it is seen', attempts=3)
def record(shown):
    before = shown.wait_still(1.0)
    film = stage.path('film.mkv')
    child = shown.watched_by([SUMAC, 'record', shown.uri, film, '--json'], stdout=subprocess.PIPE)
    time.sleep(2.0)
    for key in 'abcd':
        shown.send_keys(key)
        time.sleep(0.1)
    wait_for(lambda: before.differences(shown.screendump()), 20, 'the keys')
    after = shown.wait_still(3.0)
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=60)
    check_equal(child.returncode, 0, f'exit code ({out})')
    told = json.loads(out)
    check_equal((told['width'], told['height'], told['codec']), (*before.size, 'h264'), 'report')
    times = frames_of(film)
    check_equal(len(times), told['frames'] + 1, 'frames, the last one twice')
    check(abs(times[-1] * 1000 - told['duration_ms']) < 2, f'{times} {told}')
    # Keys came when more than a second had passed and more than a second was left: so do their frames. (A busy machine films late.
    # A frame comes every two seconds though nothing changes.)
    early, late = (max(t for t in times if t <= at) for at in (0.2, times[-1] - 0.3))
    for at, same, other in (0, before, after), (early, before, after), (late, after, before), (times[-1], after, before):
        found = picture_at(film, at)
        check(mean_error(found, same) < 10, f'the picture at {at} s is another: {mean_error(found, same)}')
        keys = (190, 240)  # the rows in which keys are shown: grey on black, so colours are no matter
        check(mean_error(found, same, keys) * 3 < mean_error(found, other, keys), f'the keys at {at} s')
    shown.send_keys('ret')


@on_both('record has a track for the sound of a machine that can play', attempts=3)
def record_sound(shown):
    audible = Machine(stage, server=shown.server, extra=['-audiodev', 'spice,id=a', '-device', 'intel-hda', '-device',
                                                         'hda-output,audiodev=a'])
    audible.wait_screen()
    for name in 'loud.mkv', 'loud.mp4', 'loud.webm':
        film = stage.path(name)
        told = good('record', audible.uri, film, '--duration', '1200ms')
        check_equal((told['sound'], told['sound_ms']), (True, 0), 'nobody plays, but could')
        result = stage.run(['ffprobe', '-v', 'error', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0', film])
        check_equal(result.out.split()[1:], ['opus'], f'{result}')
        result = stage.run(['ffmpeg', '-v', 'error', '-y', '-i', film, '-f', 's16le', '-ac', '2', stage.path('pcm')])
        check_equal(result.code, 0, f'{result}')
        length = os.path.getsize(stage.path('pcm')) / 4 / 48000
        check(abs(length - told['duration_ms'] / 1000) < 0.1, f'{name}: {length} s of silence, {told}')
    told = good('record', audible.uri, film, '--duration', '200ms', '--silent')
    check_equal(told['sound'], False, '--silent')
    audible.stop()


@tap.test('record writes every kind of film, and says which it cannot write')
def record_kinds():
    shown = machine('reference')
    for name, codec in ('a.mp4', 'h264'), ('a.webm', 'vp9'), ('b.mkv', 'vp8'):
        film = stage.path(name)
        told = good('record', shown.uri, film, '--duration', '400ms', *(['--codec', codec] if codec == 'vp8' else []))
        check_equal(told['codec'], codec, name)
        result = stage.run(['ffprobe', '-v', 'error', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0', film])
        check_equal(result.out.strip(), codec, f'{result}')
    check('.mkv' in bad(3, 'output', 'record', shown.uri, stage.path('a.txt')), 'cause')
    check('cannot hold' in bad(3, 'output', 'record', shown.uri, stage.path('c.webm'), '--codec', 'h264'), 'cause')
    check(not os.path.exists(stage.path('a.txt')) and not os.path.exists(stage.path('c.webm')), 'a file was left')


def encoder_of(process):
    """The process that encodes for a `sumac record`, once it runs."""
    def found():
        with open(f'/proc/{process.pid}/task/{process.pid}/children') as file:
            return [int(pid) for pid in file.read().split()]
    return wait_for(found, 20, 'the process that encodes', 0.001)[0]


@tap.test('record says so when the process that encodes is ended, and leaves none when it is ended itself')
def record_ended():
    shown = machine('ours')
    film = stage.path('ended.mkv')

    def check_end(child):
        os.kill(encoder_of(child), signal.SIGKILL)
        shown.send_keys('x', 'backspace')
        out, _ = child.communicate(timeout=60)
        error = json.loads(out)['error']
        check_equal((child.returncode, error['kind']), (3, 'output'), f'exit code and kind ({out})')
        check('Killed' in error['cause'] and '--raw' in error['cure'], f'{error}')
        check(not os.path.exists(film), 'a file was left')
    command = [SUMAC, 'record', shown.uri, film, '--json']
    check_end(shown.watched_by(command, stdout=subprocess.PIPE))
    # Before it is ready, too.
    for _ in range(5):
        check_end(subprocess.Popen(command, text=True, stdout=subprocess.PIPE, env=stage.env))

    child = shown.watched_by([SUMAC, 'record', shown.uri, film])
    encoder = encoder_of(child)
    child.kill()
    child.wait()
    wait_for(lambda: not os.path.exists(f'/proc/{encoder}/exe'), 20, 'the end of the process that encodes')


# ---- Raw session files ----

@on_both('record --raw keeps a session that replay shows again, to the pixel', attempts=3)
def raw_session(shown):
    before = shown.wait_still(1.0)
    target, picture = stage.path('a.session'), stage.path('replayed.png')
    child = shown.watched_by([SUMAC, 'record', shown.uri, target, '--raw', '--json'], stdout=subprocess.PIPE)
    time.sleep(3.0)
    for key in 'abc':
        shown.send_keys(key)
        time.sleep(0.1)
    wait_for(lambda: before.differences(shown.screendump()), 20, 'the keys')
    after = shown.wait_still(1.0)
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=60)
    check_equal(child.returncode, 0, f'exit code ({out})')
    recorded = json.loads(out)

    told = good('replay', target)
    check_equal(told['whole'], True, 'whole')
    check_equal(sum(c['bytes'] for c in told['connections']), recorded['bytes'], 'bytes')
    check({'main', 'display', 'cursor', 'inputs'} <= {c['kind'] for c in told['connections']}, f'{told}')
    good('replay', target, picture)
    check_equal(Picture.load(picture).differences(after), None, 'the last picture')
    good('replay', target, picture, '--at', '2500ms')
    check_equal(Picture.load(picture).differences(before), None, 'the picture at 2.5 s')
    told = good('replay', target, stage.path('replayed.mkv'))
    times = frames_of(stage.path('replayed.mkv'))
    check(abs(told['duration_ms'] - recorded['duration_ms']) < 1500 and len(times) >= 4, f'{told} {times}')
    check(mean_error(picture_at(stage.path('replayed.mkv'), times[-1]), after) < 10, 'the film ends elsewhere')
    good('replay', target, stage.path('slow.mkv'), '--fps', '1')
    times = frames_of(stage.path('slow.mkv'))
    gaps = [later - earlier for earlier, later in zip(times, times[1:-1])]  # the last one is the end's
    check(gaps and min(gaps) > 0.99, f'--fps 1: {times}')

    # Cut off: what is there counts; damaged: it is said.
    with open(target, 'rb') as file:
        data = file.read()
    with open(target, 'wb') as file:
        file.write(data[:len(data) - 16])  # the piece that says that it ends
    check_equal(good('replay', target)['whole'], False, 'whole')
    good('replay', target, picture)
    check_equal(Picture.load(picture).differences(after), None, 'the last picture of a file that was cut off')
    with open(target, 'wb') as file:
        file.write(b'nonsense' * 9)
    check('no session file' in bad(2, 'usage', 'replay', target), 'cause')
    shown.send_keys('ret')


# ---- A picture within the picture ----

def cut(picture, x, y, width, height, target):
    """Saves a part of `picture` as PNG."""
    ppm = stage.path('part.ppm')
    with open(ppm, 'wb') as file:
        file.write(b'P6 %d %d 255\n' % (width, height))
        for row in range(y, y + height):
            start = (row * picture.width + x) * 3
            file.write(picture.rgb[start:start + width * 3])
    result = stage.run(['ffmpeg', '-v', 'error', '-y', '-i', ppm, '-update', '1', '-frames:v', '1', target])
    check_equal(result.code, 0, f'{result}')
    return target


@on_both('wait --image finds a picture where it is, and waits for one that comes', attempts=3)
def wait_image(shown):
    truth = shown.wait_still(1.0)
    part = cut(truth, 8, 192, 120, 16, stage.path('part.png'))
    told = good('wait', shown.uri, '--image', part)
    check_equal((told['x'], told['y'], told['width'], told['height']), (8, 192, 120, 16), 'place')
    result = stage.sumac('wait', shown.uri, '--image', part, '--region', '8,192,120,16')
    check_equal(result.out, '8 192\n', 'place for people')
    check('not seen within' in bad(48, 'not-seen', 'wait', shown.uri, '--image', part, '--region', '9,192,600,100',
                                   '--timeout', '4s'), 'cause')
    other = Picture.load(part)
    other.rgb = bytes(shade + 3 if shade < 250 else shade - 3 for shade in other.rgb)
    other.save(stage.path('shaded.png'))
    told = good('wait', shown.uri, '--image', stage.path('shaded.png'), '--shades', '3')
    check_equal((told['x'], told['y']), (8, 192), 'place of other shades')
    bad(48, 'not-seen', 'wait', shown.uri, '--image', stage.path('shaded.png'), '--shades', '2', '--timeout', '1s')
    shown.send_keys('z')
    shown.send_keys('q')
    after = shown.wait_still(1.0)
    shown.send_keys('ret')
    shown.wait_still(1.0)
    rows = [y for y in range(truth.height) if after.rgb[y * 2160:(y + 1) * 2160] != truth.rgb[y * 2160:(y + 1) * 2160]]
    columns = [x for x in range(truth.width) for y in rows
               if after.rgb[(y * 720 + x) * 3:][:3] != truth.rgb[(y * 720 + x) * 3:][:3]]
    left, width, top, height = min(columns), max(columns) - min(columns) + 1, rows[0], len(rows)
    typed = cut(after, left, top, width, height, stage.path('typed.png'))
    child = shown.watched_by([SUMAC, 'wait', shown.uri, '--image', typed, '--region', f'0,{top + 16},720,100', '--json'],
                             stdout=subprocess.PIPE)
    time.sleep(2.0)
    check(child.poll() is None, 'it did not wait')
    shown.send_keys('z')
    shown.send_keys('q')
    out, _ = child.communicate(timeout=60)
    check_equal(child.returncode, 0, f'exit code ({out})')
    check(json.loads(out)['waited_ms'] >= 300, out)  # a busy machine's client begins late
    shown.send_keys('ret')


# ---- Scripts ----

@on_both('exec does the steps of a script over one connection, and names the line that fails')
def script(shown):
    part = cut(shown.wait_still(1.0), 8, 192, 120, 16, stage.path('script.png'))
    target = stage.path('from-script.png')
    path = stage.path('script.txt')
    with open(path, 'w') as file:
        file.write(f'''# everything
set word "ab c"
wait --image '{part}'
type "$word\\n"   # typed
key shift-x
sleep 100ms
wait --stable 1500ms --tolerance 0
screenshot {target}
''')
    told = good('exec', shown.uri, path)
    check_equal([step['command'] for step in told], ['wait', 'type', 'key', 'sleep', 'wait', 'screenshot'], 'steps')
    check_equal([step['line'] for step in told], [3, 4, 5, 6, 7, 8], 'lines')
    check_equal(Picture.load(target).differences(shown.screendump()), None, 'the picture')
    shown.send_keys('ret')
    before = shown.wait_still(1.0)
    with open(path, 'a') as file:
        file.write('\ntype \u00e4\n')
    check('script.txt:10: ' in bad(43, 'cannot-type', 'exec', shown.uri, path), 'the line is not named')
    check('script.txt:10: ' in bad(43, 'cannot-type', 'exec', shown.uri, path, '--check'), 'the line is not named')
    check_equal(before.differences(shown.wait_still(1.0)), None, 'the screen after a script that was refused')
    with open(path, 'w') as file:
        file.write('# nothing\n')
    check_equal(good('exec', shown.uri, path)['steps'], 0, 'steps of an empty script')
    with open(path, 'w') as file:
        file.write('key a\nsleep 1s\n')
    check_equal(good('exec', shown.uri, path, '--check')['steps'], 2, 'steps of a script that is only checked')
    with open(path, 'w') as file:
        file.write('key shift-a\nwait --stable 20s --timeout 21s --tolerance 0\nkey b\n')
    before = shown.wait_still(1.0)
    child = subprocess.Popen([SUMAC, 'exec', shown.uri, path], stderr=subprocess.PIPE, text=True)
    wait_for(lambda: before.differences(shown.screendump()), 20, 'the key of the first line')
    time.sleep(2)  # it shows before the line is done
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    check_equal(child.returncode, 130, 'exit code')
    check('script.txt:2: interrupted' in err, err)
    shown.send_keys('ret')


# ---- Input: what QEMU's trace says has arrived ----

class Traced:
    """A machine that logs its input events. Its guest knows no tablet: motion is relative, from the top left corner."""

    def __init__(self, server):
        trace = stage.path('trace-events')
        with open(trace, 'w') as file:
            file.write('input_event_btn\ninput_event_rel\ninput_event_key_qcode\n')
        self.machine = Machine(stage, server=server, extra=['-trace', f'events={trace}'])
        self.machine.wait_screen()
        self.uri = self.machine.uri
        self.seen = 0

    def events(self):
        """What is new: ('btn', 'left', 1), ('key', 'ctrl', 1), ('rel', 'x', 8)."""
        lines = [line for line in self.machine.process.log.split('\n')[:-1] if line.startswith('input_event_')]
        new, self.seen = lines[self.seen:], len(lines)
        events = []
        for line in new:
            words = line.replace(',', '').split()
            if words[0] == 'input_event_rel':
                events.append(('rel', words[4], int(words[6])))
            else:
                kind = 'btn' if words[0] == 'input_event_btn' else 'key'
                events.append((kind, words[-3], int(words[-1])))
        return events

    def await_presses(self, expected):
        """The events up to these presses, which QEMU may hear after the command has ended."""
        events = []
        wait_for(lambda: events.extend(self.events()) or len(presses(events)) >= len(expected), 20, f'{expected}; heard {events}')
        check_equal(presses(events), expected, 'presses')
        return events


def traced(name):
    def keep(function):
        for server in ('reference', 'ours'):
            def run(server=server):
                key = 'traced ' + server
                if key not in machines:
                    machines[key] = Traced(server)
                function(machines[key])
            tap.test(f'{name} ({server})')(run)
        return function
    return keep


def presses(events):
    return [event for event in events if event[0] != 'rel']


def moved(events):
    """How far relative motion went after the push into the corner."""
    return tuple(sum(event[2] for event in events if event[:2] == ('rel', axis) and event[2] > -100) for axis in 'xy')


@traced('click presses the button, with keys held, where it was told')
def click(shown):
    told = good('click', shown.uri, '100', '50', '--with', 'ctrl-shift', '--double', '--button', 'middle')
    check_equal(told['exact'], False, 'exact')
    down, up = ('btn', 'middle', 1), ('btn', 'middle', 0)
    events = shown.await_presses([('key', 'ctrl', 1), ('key', 'shift', 1), down, up, down, up, ('key', 'shift', 0),
                                  ('key', 'ctrl', 0)])
    check_equal(moved(events), (100, 50), 'place')
    check('hyper' in bad(43, 'cannot-type', 'click', shown.uri, '1', '1', '--with', 'hyper'), 'cause')
    check_equal(shown.events(), [], 'events of a refused command')


@traced('key holds keys for as long as it is told')
def hold(shown):
    start = time.monotonic()
    good('key', shown.uri, 'ctrl-f9', '--hold', '700ms')
    check(time.monotonic() - start >= 0.7, 'it ended before')
    shown.await_presses([('key', 'ctrl', 1), ('key', 'f9', 1), ('key', 'f9', 0), ('key', 'ctrl', 0)])


@traced('drag moves between pressing and letting go')
def drag(shown):
    good('drag', shown.uri, '10', '20', '200', '15', '--button', 'right')
    events = shown.await_presses([('btn', 'right', 1), ('btn', 'right', 0)])
    begin, end = events.index(('btn', 'right', 1)), events.index(('btn', 'right', 0))
    check_equal(moved(events[:begin]), (10, 20), 'from')
    check_equal(moved(events[begin:end]), (190, -5), 'way')
    check('outside' in bad(2, 'usage', 'drag', shown.uri, '1', '1', '60000', '1'), 'cause')
    check_equal(shown.events(), [], 'events of a refused drag')
    child = subprocess.Popen([SUMAC, 'drag', shown.uri, '1', '1', '600', '300'], stderr=subprocess.DEVNULL)
    pressed = []
    wait_for(lambda: pressed.extend(presses(shown.events())) or pressed, 20, 'the button')
    child.send_signal(signal.SIGINT)
    check_equal(child.wait(60), 130, 'exit code')
    wait_for(lambda: pressed.extend(presses(shown.events())) or pressed[-1] == ('btn', 'left', 0), 20, 'letting go')


@traced('scroll turns the wheel either way')
def scroll(shown):
    good('scroll', shown.uri, '2', '5', '5')
    shown.await_presses([('btn', 'wheel-down', 1), ('btn', 'wheel-down', 0)] * 2)
    good('scroll', shown.uri, '-1')
    shown.await_presses([('btn', 'wheel-up', 1), ('btn', 'wheel-up', 0)])


# ---- Figures ----

@on_both('monitor tells what arrives, line by line', attempts=3)
def monitor(shown):
    lines = good('monitor', shown.uri, '--every', '300ms', '--count', '3')
    last = lines[-1]
    check(last['displays'][0]['codec'], f'the codec of the screen that was just sent: {last}')
    trips = [channel['round_trip_us'] for channel in last['channels'] if channel['kind'] == 'display']
    check(trips and 0 < trips[0] < 1000000, f'round trip on this computer: {last}')
    check_equal(len(lines), 3, 'lines')
    check(lines[0]['bytes'] > 1000 and lines[0]['displays'][0]['ready'], f'{lines[0]}')
    check(all(line['at_ms'] >= 300 * number for number, line in enumerate(lines, 1)), f'{lines}')
    check(lines[2]['bytes'] == sum(c['bytes'] for c in lines[2]['channels']), 'the sum of the channels')
    child = subprocess.Popen([SUMAC, 'monitor', shown.uri, '--json', '--every', '200ms'], stdout=subprocess.PIPE, text=True)
    json.loads(child.stdout.readline())
    shown.send_keys('m')
    wait_for(lambda: json.loads(child.stdout.readline())['drawings_per_s'] > 0, 20, 'the drawing of a key')
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)
    check_equal(child.returncode, 0, 'exit code')
    shown.send_keys('ret')


@tap.test('monitor says when the machine does not answer, and when it does again')
def monitor_silence():
    """A host that is stopped keeps its connections. It owes a ping after 15 s, which is late after 20."""
    watched = [machine(server) for server in ('reference', 'ours')]
    children = [subprocess.Popen([SUMAC, 'monitor', shown.uri, '--json', '--every', '500ms'], stdout=subprocess.PIPE, text=True)
                for shown in watched]

    def unanswered():
        return [json.loads(child.stdout.readline())['unanswered_ms'] for child in children]
    wait_for(lambda: all(shown.shows_to() for shown in watched), 20, 'the displays')
    before = [unanswered() for _ in range(6)]
    check_equal(before, [[0, 0]] * 6, 'of machines that answer')
    for shown in watched:
        os.kill(shown.process.child.pid, signal.SIGSTOP)
    try:
        wait_for(lambda: all(told > 20000 for told in unanswered()), 60, 'word of silence')
    finally:
        for shown in watched:
            os.kill(shown.process.child.pid, signal.SIGCONT)
    wait_for(lambda: not any(unanswered()), 30, 'word of an answer')
    for child in children:
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)
        check_equal(child.returncode, 0, 'exit code')


@on_both('bench measures connecting and the first picture')
def bench(shown):
    told = good('bench', shown.uri, '--duration', '500ms')
    check(0 < told['connect_us'] <= told['first_picture_us'], f'{told}')
    check_equal((told['width'], told['height']), shown.screendump().size, 'size')
    check(told['watched_us'] >= 500000 and told['failed_drawings'] == 0, f'{told}')


# ---- A smart card ----

def card_database():
    """A database of NSS with three certificates; arguments for sumac."""
    folder = stage.path('nss')
    os.mkdir(folder)
    noise = stage.path('noise')
    with open(noise, 'wb') as file:
        file.write(os.urandom(64))
    subprocess.run(['certutil', '-N', '-d', 'sql:' + folder, '--empty-password'], check=True)
    for number, name in enumerate(('id', 'sign', 'encrypt')):
        subprocess.run(['certutil', '-S', '-d', 'sql:' + folder, '-s', f'CN={name}', '-n', name, '-x', '-t', 'u,u,u',
                        '-m', str(100 + number), '-z', noise], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    return ['--database', 'sql:' + folder, '--certificates', 'id,sign,encrypt']


@tap.test('smartcard --json tells each change, and what the card was asked')
def smartcard():
    card = card_database()
    for server in ('reference', 'ours'):
        machine = Machine(stage, server=server, extra=[
            '-usb', '-device', 'usb-ccid', '-chardev', 'spicevmc,id=card,name=smartcard',
            '-device', 'ccid-card-passthru,chardev=card'])
        process = stage.start('card', [SUMAC, 'smartcard', machine.uri, '--json', *card])
        wait_for(lambda: '"card":true' in process.log.replace(' ', ''), 60,
                 f'the card; sumac says {process.log!r}')
        process.kill(signal.SIGINT)
        check_equal(process.wait(20), 0, f'exit code: {process.log}')
        told = [json.loads(line) for line in process.log.splitlines() if line.startswith('{')]
        check(all(line['ok'] and line['command'] == 'smartcard' and line['reader'] for line in told), f'{told}')
        check_equal([line['card'] for line in told][-2:], [True, True], f'the last two of {told}')
        check(told[-1]['commands'] >= 0 and told[-1]['shared'], f'{told[-1]}')
        machine.stop()


# ---- Completions ----

def complete(*words):
    """What bash offers behind these words."""
    script = stage.path('complete.sh')
    quoted = ' '.join("'" + word + "'" for word in words)
    with open(script, 'w') as file:
        file.write(stage.sumac('completion', 'bash').out)
        file.write(f'COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _sumac 2>/dev/null; echo "${{COMPREPLY[@]}}"\n')
    result = stage.run(['bash', script])
    check_equal(result.code, 0, f'{result}')
    return result.out.split()


@tap.test('bash completes commands, options and their values')
def completion():
    check_equal(complete('sumac', 'sc'), ['screenshot', 'scroll'], 'commands')
    check_equal(complete('sumac', 'click', '--d'), ['--double', '--display'], 'options')
    check_equal(complete('sumac', 'drag', '--button', ''), ['left', 'middle', 'right', 'side', 'extra'], 'values')
    check_equal(complete('sumac', 'click', '--button', 'u'), ['up'], 'values of another command')
    folder = stage.path('files')
    os.mkdir(folder)
    open(os.path.join(folder, 'a.png'), 'w').close()
    check_equal(complete('sumac', 'wait', '--image', folder + '/'), [folder + '/a.png'], 'files')
    result = stage.sumac('completion', 'zsh')
    check(result.out.startswith('#compdef sumac') and "'--double[click twice]'" in result.out, f'{result}')
    check_equal(stage.sumac('completion', 'csh').code, 2, 'exit code')


if __name__ == '__main__':
    with stage:
        tap.main()
