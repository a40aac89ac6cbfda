#!/usr/bin/env python3
"""A few words of the X protocol, spoken over a machine's X socket.

display.py SOCKET painted START_NS   waits until window manager, panel and wallpaper are there; prints the milliseconds of each
display.py SOCKET screenshot FILE    writes the screen as PNG
"""
import socket
import struct
import sys
import time
import zlib


class Display:
    def __init__(self, path, deadline):
        while True:
            self.connection = socket.socket(socket.AF_UNIX)
            try:
                self.connection.connect(path)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.001)
        self.connection.sendall(struct.pack("<BxHHHHxx", 0x6C, 11, 0, 0, 0))
        status, _, length = struct.unpack("<BxHHH", self.read(8))[0], 0, 0
        setup = self.read(struct.unpack("<H", self.last[6:8])[0] * 4)
        if status != 1:
            raise SystemExit("the X server refuses: " + setup.decode(errors="replace"))
        vendor, formats = struct.unpack("<H", setup[16:18])[0], setup[21]
        screen = 32 + (vendor + 3) // 4 * 4 + formats * 8
        self.root, = struct.unpack("<I", setup[screen:screen + 4])
        self.width, self.height = struct.unpack("<HH", setup[screen + 20:screen + 24])

    def read(self, count):
        data = b""
        while len(data) < count:
            part = self.connection.recv(count - len(data))
            if not part:
                raise SystemExit("the X server hung up")
            data += part
        self.last = data
        return data

    def ask(self, request):
        self.connection.sendall(request)
        head = self.read(32)
        if head[0] == 0:
            return None, b""
        body = self.read(struct.unpack("<I", head[4:8])[0] * 4)
        return head, body

    def atom(self, name):
        raw = name.encode() + b"\0" * (-len(name) % 4)
        head, _ = self.ask(struct.pack("<BBHHxx", 16, 0, 2 + len(raw) // 4, len(name)) + raw)
        return struct.unpack("<I", head[8:12])[0]

    def words(self, window, atom):
        head, body = self.ask(struct.pack("<BBHIIIII", 20, 0, 6, window, atom, 0, 0, 1024))
        return struct.unpack(f"<{len(body) // 4}I", body[:len(body) // 4 * 4]) if head and head[1] == 32 else ()

    def children(self, window):
        head, body = self.ask(struct.pack("<BBHI", 15, 0, 2, window))
        return struct.unpack(f"<{len(body) // 4}I", body) if head else ()

    def viewable(self, window):
        head, _ = self.ask(struct.pack("<BBHI", 3, 0, 2, window))
        return bool(head) and head[26] == 2

    def pixels(self, x, y, width, height):
        _, body = self.ask(struct.pack("<BBHIhhHHI", 73, 2, 5, self.root, x, y, width, height, 0xFFFFFFFF))
        return body


def painted(display, start):
    check, types, dock, desktop = (display.atom(name) for name in (
        "_NET_SUPPORTING_WM_CHECK", "_NET_WM_WINDOW_TYPE", "_NET_WM_WINDOW_TYPE_DOCK", "_NET_WM_WINDOW_TYPE_DESKTOP"))
    times = {"display": time.clock_gettime_ns(time.CLOCK_MONOTONIC)}
    w, h = display.width, display.height
    while len(times) < 4:
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        if now - start > 20e9:
            raise SystemExit(f"not painted after 20 s, only {sorted(times)}")
        if "manager" not in times and display.words(display.root, check):
            times["manager"] = now
        if "wallpaper" not in times:
            # Four corners of the middle: the wallpaper is nowhere black.
            if all(any(display.pixels(w * x // 10, h * y // 10, 1, 1)[:3]) for x, y in ((2, 2), (8, 2), (2, 8), (8, 8))):
                times["wallpaper"] = now
        if "panel" not in times:
            # The bottom edge holds more than one colour on 60 columns once the launchers are drawn.
            row = display.pixels(0, h - 20, 200, 1)
            if len({row[i:i + 3] for i in range(0, len(row), 4)}) > 12:
                times["panel"] = now
        time.sleep(0.002)
    for name, at in times.items():
        print(f"{name} {(at - start) / 1e6:.0f}", end="  ")
    print()


def png(display, path):
    rows = []
    for top in range(0, display.height, 64):
        height = min(64, display.height - top)
        data = display.pixels(0, top, display.width, height)
        for row in range(height):
            line = data[row * display.width * 4:(row + 1) * display.width * 4]
            rgb = bytearray(display.width * 3)
            rgb[0::3], rgb[1::3], rgb[2::3] = line[2::4], line[1::4], line[0::4]
            rows.append(b"\0" + bytes(rgb))

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", display.width, display.height, 8, 2, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(b"".join(rows), 3)) + chunk(b"IEND", b""))


path, verb, argument = sys.argv[1:]
screen = Display(path, time.monotonic() + 20)
if verb == "painted":
    painted(screen, int(argument))
else:
    png(screen, argument)
