#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files, clipboard and shared folders between here and a guest with stock agents.

usage: files_test.py ours|reference [WORDS OF A TEST]"""

import hashlib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'interop'))
from peers import SUMAC, Machine, Stage
from tap import Tap, check, check_equal, note, wait_for

FILE_BYTES = 50 << 20
DAV = 'http://localhost:9843'
WEBDAV_CHANNEL = 11

tap = Tap()
stage = Stage()
server = sys.argv[1]
FOLDER_PORT = ['-chardev', 'spiceport,name=org.spice-space.webdav.0,id=dav',
               '-device', 'virtserialport,chardev=dav,name=org.spice-space.webdav.0']
SEAMLESS = {'seamless-migration': 'on'}
machine = Machine(stage, server=server, guest=True, spice=SEAMLESS, extra=FOLDER_PORT)
machine.wait_desktop()
machine.take_files()


def make(name, size):
    data = os.urandom(size)
    path = stage.path(name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
        file.write(data)
    return path, hashlib.sha256(data).hexdigest()


def sum_there(path):
    return machine.run(f'sha256sum {path} 2>&1', timeout=120, check=False).split()[0]


def sumac(*arguments, timeout=600):
    result = stage.sumac(*arguments, timeout=timeout)
    check_equal(result.code, 0, f'sumac {arguments}: {result}')
    return json.loads(result.out)


def has_agent():
    return json.loads(stage.sumac('info', machine.uri, '--json').out)['agent']


def await_agent():
    wait_for(has_agent, 60, 'the agent', 1)


@tap.test('a file of 50 MB arrives whole')
def _():
    await_agent()
    path, expected = make('large', FILE_BYTES)
    told = sumac('copy', machine.uri, path, '--json', '--timeout', '10m')
    check_equal(told['bytes'], FILE_BYTES, 'bytes')
    note(f'{told["bytes_per_second"] / 1e6:.1f} MB/s')
    check_equal(sum_there('/home/user/in/large'), expected, 'the checksum')


@tap.test('several files and a folder arrive together')
def _():
    await_agent()
    make('tree/inner/deep', 3000)
    make('tree/top', 70000)
    path, expected = make('small', 100)
    empty, nothing = make('none', 0)
    sumac('copy', machine.uri, path, stage.path('tree'), empty, '--json', '--timeout', '10m')
    check_equal(sum_there('/home/user/in/small'), expected, 'the small file')
    check_equal(sum_there('/home/user/in/none'), nothing, 'the empty file')
    machine.run('tar -C /tmp -xf /home/user/in/tree.tar')
    for name in 'tree/top', 'tree/inner/deep':
        with open(stage.path(name), 'rb') as file:
            check_equal(sum_there(f'/tmp/{name}'), hashlib.sha256(file.read()).hexdigest(), name)


@tap.test('text goes through the clipboard both ways')
def _():
    await_agent()
    text = 'Käse, 乳酪\nsecond line'
    settings = []

    def pasted():
        # It ends when the guest has asked, though whoever asked there may have given up by then.
        if not settings or not settings[-1].is_running:
            settings.append(stage.start('set', [SUMAC, 'clipboard', machine.uri, 'set', text, '--timeout', '5m']))
        return machine.run('timeout 40 xclip -o -selection clipboard -t UTF8_STRING 2>/dev/null', timeout=90, check=False) == text
    wait_for(pasted, 60, 'the text in the guest', 1)
    check_equal([setting.wait(60) for setting in settings], [0] * len(settings), 'the end of set')
    getting = stage.start('get', [SUMAC, 'clipboard', machine.uri, 'get', '--timeout', '5m'])
    machine.run("printf 'from the guest' >/tmp/text")
    # Whoever copies anew takes away what the one before has to give: each has its time.
    machine.insist(lambda: machine.run('setsid xclip -selection clipboard -i /tmp/text >/dev/null 2>&1 &'),
                   lambda: not getting.is_running, 'the end of get')
    check_equal(getting.log, 'from the guest', 'what came')


@tap.test('what is selected in the guest is got, and is no copy of what its clipboard holds')
def _():
    await_agent()
    getting = stage.start('get', [SUMAC, 'clipboard', machine.uri, 'get', '--selection', 'primary', '--timeout', '5m'])
    machine.run("printf 'selected' >/tmp/text")
    machine.insist(lambda: machine.run('setsid xclip -selection primary -i /tmp/text >/dev/null 2>&1 &'),
                   lambda: not getting.is_running, 'the end of get')
    check_equal(getting.log, 'selected', 'what came')


CURL = "curl -m 60 --path-as-is -s -w '%{http_code}'"


def curl(path, *options, out='/dev/null'):
    words = ' '.join(f"'{option}'" for option in options)
    return machine.run(f'{CURL} -o {out} {words} {DAV}/{path.removeprefix("/")}', timeout=90, check=False)


def answer(path, *options):
    """What the server of the folder answers: on a busy machine curl may give up before it does."""
    return wait_for(lambda: code if (code := curl(path, *options)) != '000' else None, 60, f'an answer for {path}', 1)


def check_folder(name, *put_options):
    """The guest reads what is in the folder, and writes to it."""
    path, expected = make(f'{name}/inner/file', 3 << 20)
    wait_for(lambda: curl('inner/file', out='/tmp/got') == '200', 60, 'the folder in the guest', 1)
    check_equal(sum_there('/tmp/got'), expected, 'the file read')
    machine.run('head -c 2000000 /dev/urandom >/tmp/new')
    check(answer('inner/new', '-T', '/tmp/new', *put_options) in ('200', '201', '204'), 'the file was not written')
    with open(stage.path(f'{name}/inner/new'), 'rb') as file:
        check_equal(hashlib.sha256(file.read()).hexdigest(), sum_there('/tmp/new'), 'the file written')


@tap.test('a shared folder is read and written, and nothing outside of it')
def _():
    make('share/own', 10)
    make('outside/secret', 10)
    os.symlink('../outside', stage.path('share/way'))
    sharing = stage.start('share', [SUMAC, 'share', machine.uri, stage.path('share')])
    check_folder('share')
    for path in 'way/secret', '../outside/secret', '%2e%2e/outside/secret', '..%2foutside%2fsecret':
        check(answer(path).startswith('4'), f'{path} was given')
    check_equal(answer('way/new', '-T', '/tmp/new'), '403', 'writing outside')
    sharing.stop()
    check(not os.path.exists(stage.path('outside/new')), 'a file was written outside')


@tap.test('a folder shared read-only is only read')
def _():
    path, expected = make('fixed/file', 5000)
    sharing = stage.start('share', [SUMAC, 'share', machine.uri, stage.path('fixed'), '--read-only'])
    wait_for(lambda: curl('file', out='/tmp/got') == '200', 60, 'the folder in the guest', 1)
    check_equal(sum_there('/tmp/got'), expected, 'the file read')
    check_equal(answer('new', '-T', '/tmp/got'), '403', 'a new file')
    check_equal(answer('file', '-X', 'DELETE'), '403', 'a removal')
    sharing.stop()
    check_equal(os.listdir(stage.path('fixed')), ['file'], 'what is there')


@tap.test("the reference's client shares a folder")
def _():
    os.makedirs(stage.path('theirs'))
    client = stage.start('spicy', ['spicy', f'--uri={machine.uri}', f'--spice-shared-dir={stage.path("theirs")}'],
                         {'DISPLAY': stage.x_server()})
    wait_for(lambda: WEBDAV_CHANNEL in [entry['channel-type'] for entry in machine.qmp('query-spice').get('channels', [])], 60,
             'its channel')
    check_folder('theirs', '-H', 'Expect:')  # their server answers it before the file has come, which stays empty
    client.stop()


# An agent that takes lists of files, which Debian's does not: it asks for the first that is offered, and writes it down.
TAKES_FILES = r"""
open my $port, '+<', '/dev/virtio-ports/com.redhat.spice.0' or die; binmode $port;
sub send_msg { my ($type, $body) = @_; my $msg = pack('VVQ<V', 1, $type, 0, length $body) . $body;
    syswrite $port, pack('VV', 1, length $msg) . $msg }
sub fetch { my ($size) = @_; my $got = '';
    while (length $got < $size) { sysread($port, my $piece, $size - length $got) or select undef, undef, undef, 0.05;
        $got .= $piece // '' }
    $got }
send_msg(6, pack 'VV', 1, 0x10060);
my $in = '';
while (1) {
    my ($to, $size) = unpack 'VV', fetch(8); my $piece = fetch($size); $in .= $piece if $to == 1;
    while (length $in >= 20) {
        my (undef, $type, undef, $size) = unpack 'VVQ<V', $in; last if length $in < 20 + $size;
        my $body = substr $in, 20, $size; substr($in, 0, 20 + $size) = '';
        send_msg(6, pack 'VV', 0, 0x10060) if $type == 6 && unpack 'V', $body;
        send_msg(8, pack 'VV', 0, 6) if $type == 7 && grep { $_ == 6 } unpack 'V*', substr $body, 4;
        if ($type == 4) { open my $out, '>', '/tmp/list.new'; print $out substr $body, 8; close $out;
            rename '/tmp/list.new', '/tmp/list'; exit } } }
"""


@tap.test('files that are copied here are read where they are pasted, by an agent that takes lists of files')
def _():
    path, expected = make('desk/Käse 1', 3 << 20)
    inner, _ = make('desk/tree/inner', 50)
    make('desk/beside', 50)
    machine.run('systemctl stop spice-vdagentd.socket spice-vdagentd; pkill -x spice-vdagent; rm -f /tmp/list', check=False)
    wait_for(lambda: not has_agent(), 60, 'the end of the stock agent', 1)
    machine.run(f"cat >/tmp/agent.pl <<'END'\n{TAKES_FILES}\nEND\nperl /tmp/agent.pl >/tmp/agent.log 2>&1 &")
    await_agent()
    setting = stage.start('files', [SUMAC, 'clipboard', machine.uri, 'set', '--type', 'files', path, os.path.dirname(inner),
                                    '--timeout', '5m', '--json'])
    wait_for(lambda: machine.run('ls /tmp/list', check=False).strip() == '/tmp/list', 60, 'the list of files in the guest', 1)
    action, first, second, end = machine.run("tr '\\0' '\\n' </tmp/list; echo END").split('\n')
    check_equal((action, end), ('copy', 'END'), 'the list')
    check(first.startswith('/.spice-clipboard/') and first.endswith('/Käse 1') and second.endswith('/tree'), f'{first}, {second}')
    url = first.replace(' ', '%20').replace('ä', '%C3%A4')
    wait_for(lambda: curl(url, out='/tmp/got') == '200', 60, 'the file in the guest', 1)
    # At once: where nothing is read for a while the command takes it for done.
    asked = [second + '/inner', second + '/../beside', second + '/%2e%2e/beside', os.path.dirname(first) + '/beside']
    codes = machine.run(f'for path in {" ".join(asked)}; do {CURL} -o /dev/null {DAV}$path; echo; done; '
                        f'{CURL} -o /dev/null -T /tmp/got {DAV}{second}/inner', timeout=90).split()
    check(codes[0] == '200' and all(code.startswith('4') for code in codes[1:]), f'{asked}, then writing: {codes}')
    check_equal(sum_there('/tmp/got'), expected, 'the file pasted')
    check_equal(setting.wait(90), 0, f'the end of set, when nothing is read any more: {setting.log}')
    check_equal(json.loads(setting.log)['files'], 2, 'files')


def move_while_copying():
    # The agent writes to memory: what the guest has written to its disk stays behind with this QEMU.
    machine.run('systemctl start spice-vdagentd.socket; pkill perl; rm -rf /home/user/in/*')
    machine.take_files()
    machine.run('mount -t tmpfs -o uid=1000,mode=700 tmpfs /home/user/in')
    path, (file, expected) = stage.path('move'), make('moving', 20 << 20)
    target = Machine(stage, server=server, guest=True, spice=SEAMLESS, extra=[*FOLDER_PORT, '-incoming', f'unix:{path}'])
    copying = stage.start('copy', [SUMAC, 'copy', machine.uri, file, '--json', '--timeout', '10m'])
    # In the middle of it the agent falls asleep, and wakes up in the other machine.
    machine.run('until [ -e /home/user/in/moving ]; do sleep 0.05; done; pkill -STOP -x spice-vdagent', timeout=120)
    machine.qmp('migrate-set-parameters', **{'max-bandwidth': 0, 'downtime-limit': 5000})
    machine.qmp('client_migrate_info', protocol='spice', hostname='127.0.0.1', port=target.port)
    machine.qmp('migrate', uri=f'unix:{path}')
    wait_for(lambda: machine.qmp('query-migrate').get('status') == 'completed', 120, 'the machine at the target')
    wait_for(lambda: target.qmp('query-status')['status'] == 'running', 30, 'a running machine')
    wait_for(lambda: machine.qmp('query-spice')['migrated'], 30, 'the source without clients')
    check(copying.is_running, f'the copy ended before: {copying.log}')
    target.run('pkill -CONT -x spice-vdagent')
    check_equal(copying.wait(300), 0, f'the end of copy: {copying.log}')
    got = target.run('sha256sum /home/user/in/moving', timeout=120).split()[0]
    check_equal(got, expected, 'the checksum')


if server == 'ours':
    tap.test('a file that is being copied when the machine moves arrives whole')(move_while_copying)


with stage:
    status = tap.run(*sys.argv[2:3])
sys.exit(status)
