# SPDX-License-Identifier: MIT
"""A film on our server, in every codec: our client and the reference's show it, and when it stands still the picture is
exact again."""

import json
import os
import sys
import time

from peers import BUILD, Stage, free_port
from pictures import Picture
from tap import Tap, check, check_equal, wait_for

CODECS = ('spice:mjpeg', 'gstreamer:vp8', 'gstreamer:h264', 'gstreamer:vp9', 'gstreamer:av1')
PLAYED = CODECS[:4]  # the reference knows no AV1
SIZE, MOVIE, EDGE = (800, 600), (640, 480), 80

tap = Tap()
stage = Stage()


class Film:
    """A host that shows a film in the middle of its screen, for some seconds or without end."""

    def __init__(self, codec, seconds=0):
        self.port = free_port()
        self.uri = f'spice://127.0.0.1:{self.port}'
        command = [os.path.join(BUILD, 'bench', 'bench-echo'), '--port', str(self.port), '--size', '%dx%d' % SIZE,
                   '--movie', '%dx%d@25' % MOVIE, '--streaming', '3', '--compression', '2', '--codecs', codec]
        env = dict(os.environ, LD_LIBRARY_PATH=os.path.join(BUILD, 'server'))
        if seconds:
            command += ['--movie-seconds', str(seconds)]
        self.process = stage.start('film-' + codec.split(':')[1], command, env=env)
        wait_for(lambda: 'ready' in self.process.log, 20, 'the host is ready')

    def has_module(self):
        with open(f'/proc/{self.process.pid}/maps', encoding='utf-8') as maps:
            return 'libsumac-video' in maps.read()


# A busy machine may get a client going only when a short film is over: the next attempt is longer.
lengths = {codec: iter((4, 8, 16)) for codec in CODECS}


def show_and_stop(codec):
    film = Film(codec, seconds=next(lengths[codec]))
    moving, result = stage.sumac_screenshot(film.uri, '--settle-limit', '3s')
    check(moving, f'no picture of the film: {result}')
    # One that has seen it as a stream until it stood still, and one that never did.
    seen, result = stage.sumac_screenshot(film.uri, '--settle', '2s', '--settle-limit', '20s')
    check(seen, f'no picture of its end: {result}')
    fresh, result = stage.sumac_screenshot(film.uri)
    check(fresh, f'no picture afterwards: {result}')
    check_equal(film.has_module(), codec != CODECS[0], 'the module of video codecs is loaded')
    film.process.stop()
    check_equal(fresh.differences(seen), None, 'the picture when it stands still')
    check(moving.differences(fresh), 'nothing has moved')
    # What is around the film is as it was.
    for y in range(0, EDGE // 2, 7):
        for x in range(0, SIZE[0], 13):
            check_equal(moving.pixel(x, y), fresh.pixel(x, y), f'pixel {x},{y} beside the film')


def grab(display, name):
    path = stage.path(name)
    result = stage.run(['ffmpeg', '-v', 'error', '-f', 'x11grab', '-video_size', '900x750', '-i', display,
                        '-frames:v', '1', '-y', path])
    check_equal(result.code, 0, repr(result))
    return Picture.load(path)


def count_changes(before, after):
    return sum(before.pixel(x, y) != after.pixel(x, y) for x in range(0, 900, 9) for y in range(0, 750, 9))


def play_in_spicy(codec):
    film = Film(codec)
    display = stage.x_server('900x750')
    env = dict(os.environ, DISPLAY=display, SPICE_DEBUG='1', G_MESSAGES_DEBUG='all')
    spicy = stage.start('spicy-' + codec.split(':')[1], ['spicy', '-h', '127.0.0.1', '-p', str(film.port)], env=env)
    wait_for(lambda: 'display_handle_stream_create' in spicy.log, 60, 'the reference is sent a stream')
    time.sleep(3)  # for its decoder to begin
    pictures = []

    def moves():
        pictures.append(grab(display, f'spicy-{len(pictures)}.png'))
        return len(pictures) > 2 and all(count_changes(pictures[i], pictures[i + 1]) > 200 for i in (-3, -2))

    wait_for(moves, 60, 'three pictures in a row differ')
    spicy.stop()
    film.process.stop()


def watch(name, film, env):
    """`sumac monitor` of a film: when it says how frames are decoded, that."""
    monitor = stage.start(name, [os.path.join(BUILD, 'cli', 'sumac'), 'monitor', film.uri, '--every', '100ms', '--json'],
                          env=dict(os.environ, **env))

    def displays():
        lines = [line for line in monitor.log.splitlines() if line.startswith('{')]
        told = [json.loads(line) for line in lines[:-1]]
        return [d for one in told for d in one.get('displays', []) if d['codec'] == 'H.264']

    shown = wait_for(lambda: displays()[-3:], 60, 'frames in H.264')
    wait_for(lambda: len(displays()) > 10, 60, 'more of them')
    monitor.stop()
    check_equal({d['on_card'] for d in displays()}, {shown[0]['on_card']}, 'who decodes')
    return shown[0]['on_card']


@tap.test('film in gstreamer:h264: the threads that may open nothing decode on a graphics card')
def decode_on_card():
    film = Film('gstreamer:h264')
    # The card is none, but the way to it is libva's (tests/support/va_card.h).
    folder = os.path.join(BUILD, 'tests', 'media')
    env = {'SUMAC_VIDEO_CARD': '/dev/null', 'LIBVA_DRIVER_NAME': 'sumactest', 'LIBVA_DRIVERS_PATH': folder,
           'LD_PRELOAD': os.path.join(folder, 'sumactest_drv_video.so')}
    check_equal(watch('monitor-card', film, env), True, 'decoded on the card')
    check_equal(watch('monitor-none', film, dict(env, SUMAC_VIDEO_CARD='none')), False, 'decoded on the card')
    film.process.stop()


for one in CODECS:
    tap.test(f'film in {one}: our client shows it, and exactly what is there when it stands still', attempts=3)(
        lambda one=one: show_and_stop(one))
for one in PLAYED:
    tap.test(f'film in {one}: spicy shows it')(lambda one=one: play_in_spicy(one))

with stage:
    status = tap.run(*sys.argv[1:2])
sys.exit(status)
