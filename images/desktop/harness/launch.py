#!/usr/bin/env python3
"""Listens on the two sockets of a trial machine and becomes runc, which inherits them as 3 and 4: launch.py FOLDER ARGUMENTS..."""
import os
import socket
import sys

folder, arguments = sys.argv[1], sys.argv[2:]
listeners = []
for name in ("deskd.sock", "vnc.sock"):
    path = os.path.join(folder, name)
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    listeners.append(listener)
high = [os.dup2(listener.fileno(), 20 + index) for index, listener in enumerate(listeners)]
for index, descriptor in enumerate(high):
    os.dup2(descriptor, 3 + index, inheritable=True)
    os.close(descriptor)
os.closerange(5, 64)
os.execvp(arguments[0], arguments)
