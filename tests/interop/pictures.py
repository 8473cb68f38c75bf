# SPDX-License-Identifier: MIT
"""Pictures that tests compare: PPM and PNG in, exact comparison, PNG out. Standard library only."""

import struct
import zlib


class Picture:
    """A picture of 8-bit RGB pixels; `rgb` holds width * height * 3 bytes, top row first."""

    def __init__(self, width, height, rgb):
        if len(rgb) != width * height * 3:
            raise ValueError(f'{len(rgb)} bytes for {width}x{height} pixels')
        self.width, self.height, self.rgb = width, height, bytes(rgb)

    @staticmethod
    def load(path):
        with open(path, 'rb') as file:
            data = file.read()
        if data.startswith(b'\x89PNG\r\n\x1a\n'):
            return _from_png(data)
        if data.startswith(b'P6'):
            return _from_ppm(data)
        raise ValueError(f'{path} is neither PNG nor PPM: {data[:16]!r}')

    def save(self, path):
        rows = b''.join(b'\0' + self.rgb[y * self.width * 3:(y + 1) * self.width * 3]
                        for y in range(self.height))
        header = struct.pack('>IIBBBBB', self.width, self.height, 8, 2, 0, 0, 0)
        with open(path, 'wb') as file:
            file.write(b'\x89PNG\r\n\x1a\n' + _chunk(b'IHDR', header) +
                       _chunk(b'IDAT', zlib.compress(rows, 6)) + _chunk(b'IEND', b''))

    @property
    def size(self):
        return self.width, self.height

    def pixel(self, x, y):
        at = (y * self.width + x) * 3
        return tuple(self.rgb[at:at + 3])

    def colours(self):
        """The number of different colours: 1 says that the picture is blank."""
        return len({self.rgb[i:i + 3] for i in range(0, len(self.rgb), 3)})

    def differences(self, other):
        """None if equal, else a sentence that says where and by how much."""
        if self.size != other.size:
            return f'sizes differ: {self.size} and {other.size}'
        if self.rgb == other.rgb:
            return None
        wrong = [i // 3 for i in range(0, len(self.rgb), 3)
                 if self.rgb[i:i + 3] != other.rgb[i:i + 3]]
        xs, ys = [i % self.width for i in wrong], [i // self.width for i in wrong]
        x, y = xs[0], ys[0]
        return (f'{len(wrong)} of {self.width * self.height} pixels differ, within x {min(xs)}..{max(xs)} '
                f'y {min(ys)}..{max(ys)}; the first at ({x}, {y}): {self.pixel(x, y)} and {other.pixel(x, y)}')


def _chunk(kind, body):
    return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))


def _from_ppm(data):
    fields, at = [], 0
    while len(fields) < 4:
        while data[at:at + 1].isspace():
            at += 1
        if data[at:at + 1] == b'#':
            at = data.index(b'\n', at)
            continue
        end = at
        while not data[end:end + 1].isspace():
            end += 1
        fields.append(data[at:end])
        at = end
    width, height, most = (int(field) for field in fields[1:])
    if most != 255:
        raise ValueError(f'PPM with {most} levels')
    return Picture(width, height, data[at + 1:at + 1 + width * height * 3])


def _from_png(data):
    at, body, header = 8, b'', None
    while at < len(data):
        size, kind = struct.unpack('>I4s', data[at:at + 8])
        content = data[at + 8:at + 8 + size]
        if struct.unpack('>I', data[at + 8 + size:at + 12 + size])[0] != zlib.crc32(kind + content):
            raise ValueError(f'PNG chunk {kind!r}: wrong checksum')
        if kind == b'IHDR':
            header = struct.unpack('>IIBBBBB', content)
        elif kind == b'IDAT':
            body += content
        at += size + 12
    width, height, depth, colour, _, _, interlace = header
    if depth != 8 or colour not in (0, 2, 6) or interlace:
        raise ValueError(f'PNG of depth {depth}, colour type {colour}, interlace {interlace}')
    channels = {0: 1, 2: 3, 6: 4}[colour]
    rows = _unfilter(zlib.decompress(body), width * channels, height, channels)
    if channels == 4:
        rows = b''.join(rows[i:i + 3] for i in range(0, len(rows), 4))
    elif channels == 1:
        rows = b''.join(rows[i:i + 1] * 3 for i in range(len(rows)))
    return Picture(width, height, rows)


def _unfilter(data, row_size, height, step):
    if len(data) != (row_size + 1) * height:
        raise ValueError(f'PNG with {len(data)} bytes of rows')
    above, out = bytearray(row_size), bytearray()
    for y in range(height):
        start = y * (row_size + 1)
        kind, row = data[start], bytearray(data[start + 1:start + 1 + row_size])
        if kind == 1:
            for i in range(step, row_size):
                row[i] = (row[i] + row[i - step]) & 255
        elif kind == 2:
            for i in range(row_size):
                row[i] = (row[i] + above[i]) & 255
        elif kind == 3:
            for i in range(row_size):
                left = row[i - step] if i >= step else 0
                row[i] = (row[i] + (left + above[i]) // 2) & 255
        elif kind == 4:
            for i in range(row_size):
                left = row[i - step] if i >= step else 0
                corner = above[i - step] if i >= step else 0
                row[i] = (row[i] + _paeth(left, above[i], corner)) & 255
        elif kind != 0:
            raise ValueError(f'PNG filter {kind}')
        out += row
        above = row
    return bytes(out)


def _paeth(left, up, corner):
    guess = left + up - corner
    distances = abs(guess - left), abs(guess - up), abs(guess - corner)
    if distances[0] <= distances[1] and distances[0] <= distances[2]:
        return left
    return up if distances[1] <= distances[2] else corner
