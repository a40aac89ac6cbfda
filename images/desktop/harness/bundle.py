#!/usr/bin/env python3
"""Writes the OCI bundle of a trial machine: bundle.py BUNDLE ROOTFS RESOLUTION FIRST_UID(0: no user namespace) NETWORK(none|host) [DESKD]"""
import json
import sys

bundle, rootfs, resolution, first_uid, network, *deskd = sys.argv[1:]
first_uid = int(first_uid)
# What Docker gives by default.
capabilities = ["CAP_" + name for name in (
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID "
    "SYS_CHROOT").split()]


def mount(destination, kind, source, *options):
    return {"destination": destination, "type": kind, "source": source, "options": list(options)}


mounts = [
    mount("/proc", "proc", "proc"),
    mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
    mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
    mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=512m"),
    mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
    mount("/run", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=755", "size=128m"),
    mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro") if network == "none" else
    mount("/sys", "none", "/sys", "rbind", "nosuid", "noexec", "nodev", "ro"),
]
if deskd:
    mounts.append(mount("/opt/carrel/deskd", "none", deskd[0], "bind", "ro"))
namespaces = ["pid", "ipc", "uts", "mount"] + (["network"] if network == "none" else []) + (["user"] if first_uid else [])
mapping = [{"containerID": 0, "hostID": first_uid, "size": 65536}] if first_uid else []
json.dump({
    "ociVersion": "1.0.2",
    "hostname": "hello",
    "root": {"path": rootfs, "readonly": False},
    "process": {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": ["/sbin/carrel-init"],
        "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8",
                "CARREL_RESOLUTION=" + resolution],
        "cwd": "/",
        "capabilities": {kind: capabilities for kind in ("bounding", "effective", "permitted")},
        "noNewPrivileges": False,
    },
    "mounts": mounts,
    "linux": {
        "namespaces": [{"type": kind} for kind in namespaces],
        "uidMappings": mapping,
        "gidMappings": mapping,
        "maskedPaths": ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
                        "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"],
        "readonlyPaths": ["/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    },
}, open(bundle + "/config.json", "w"), indent=1)
