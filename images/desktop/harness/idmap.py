#!/usr/bin/env python3
"""Mounts SOURCE at TARGET with its uids shifted to FIRST_UID: idmap.py SOURCE TARGET FIRST_UID"""
import ctypes
import os
import struct
import sys

OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR = 428, 429, 442
AT_FDCWD, AT_EMPTY_PATH, OPEN_TREE_CLONE, MOVE_MOUNT_F_EMPTY_PATH, MOUNT_ATTR_IDMAP = -100, 0x1000, 1, 4, 0x100000
libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    result = libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}")
    return result


source, target, first_uid = sys.argv[1:]
told, tell = os.pipe()
waiting, done = os.pipe()
child = os.fork()
if child == 0:
    os.close(done)
    libc.unshare(0x10000000)
    os.write(tell, b".")
    os.read(waiting, 1)
    os._exit(0)
os.read(told, 1)
for kind in ("uid_map", "gid_map"):
    with open(f"/proc/{child}/{kind}", "w") as mapping:
        mapping.write(f"0 {first_uid} 65536\n")
namespace = os.open(f"/proc/{child}/ns/user", os.O_RDONLY)
tree = call(OPEN_TREE, AT_FDCWD, source.encode(), OPEN_TREE_CLONE | os.O_CLOEXEC)
attributes = struct.pack("QQQQ", MOUNT_ATTR_IDMAP, 0, 0, namespace)
call(MOUNT_SETATTR, tree, b"", AT_EMPTY_PATH, attributes, len(attributes))
call(MOVE_MOUNT, tree, b"", AT_FDCWD, target.encode(), MOVE_MOUNT_F_EMPTY_PATH)
os.close(done)
os.waitpid(child, 0)
