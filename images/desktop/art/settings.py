#!/usr/bin/env python3
"""Completes the xfconf channels with their programs' own defaults: settings.py ROOT

A program asks xfconfd for every setting that is not in the channel, one message and one answer each; 370 of them at every
start. What the channel holds comes in one answer. The values below are the programs' defaults (Xfce 4.18)."""
import pathlib
import sys
import xml.etree.ElementTree as tree

root = pathlib.Path(sys.argv[1])
channels = root / "etc/xdg/xfce4/xfconf/xfce-perchannel-xml"


def kind(value):
    return "bool" if value in ("true", "false") else "int" if value.lstrip("-").isdigit() else "string"


def complete(name, defaults):
    path = channels / f"{name}.xml"
    document = tree.parse(path)
    for key, (type_name, value) in defaults.items():
        parent = document.getroot()
        *folders, leaf = key.split("/")
        for folder in folders:
            found = parent.find(f"property[@name='{folder}']")
            parent = tree.SubElement(parent, "property", name=folder, type="empty") if found is None else found
        if parent.find(f"property[@name='{leaf}']") is None:
            tree.SubElement(parent, "property", name=leaf, type=type_name, value=value)
    tree.indent(document)
    document.write(path, encoding="UTF-8", xml_declaration=True)


manager = {}
for file in (root / "usr/share/xfwm4/defaults", root / "usr/share/themes/Carrel/xfwm4/themerc"):
    for line in file.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, value = (part.strip() for part in line.split("=", 1))
            if value and not key.endswith("_color"):
                manager["general/" + key] = (kind(value), value)
complete("xfwm4", manager)

panel = {"force-all-external": ("bool", "false")}
for key, value in {"autohide-behavior": ("uint", "0"), "background-style": ("uint", "0"), "disable-struts": ("bool", "false"),
                   "enter-opacity": ("uint", "100"), "leave-opacity": ("uint", "100"), "length-adjust": ("bool", "true"),
                   "mode": ("uint", "0"), "nrows": ("uint", "1"), "popdown-speed": ("uint", "25"),
                   "span-monitors": ("bool", "false")}.items():
    panel["panels/panel-1/" + key] = value
# "panels" is an array with properties of its own, so its children are found like any other's.
for launcher in (2, 3, 4, 5):
    panel[f"plugins/plugin-{launcher}/arrow-position"] = ("uint", "0")
    for key in ("disable-tooltips", "move-first", "show-label"):
        panel[f"plugins/plugin-{launcher}/{key}"] = ("bool", "false")
for key, value in {"include-all-blinking": "true", "include-all-monitors": "true", "include-all-workspaces": "false",
                   "label-decorations": "true", "show-labels": "true", "show-only-minimized": "false", "show-tooltips": "true",
                   "show-wireframes": "false", "switch-workspace-on-unminimize": "true", "window-scrolling": "true",
                   "wrap-windows": "false"}.items():
    panel["plugins/plugin-7/" + key] = ("bool", value)
for key, value in {"custom-menu": "false", "show-generic-names": "false", "show-menu-icons": "true", "show-tooltips": "false",
                   "small": "false"}.items():
    panel["plugins/plugin-1/" + key] = ("bool", value)
for separator in (6, 10, 11):
    panel[f"plugins/plugin-{separator}/expand"] = ("bool", "false")
complete("xfce4-panel", panel)

desktop = {}
for key, value in {"show": "true", "show-delete": "true", "show-icons": "true"}.items():
    desktop["desktop-menu/" + key] = ("bool", value)
for key, value in {"show": "true", "show-add-remove-workspaces": "false", "show-icons": "true", "show-sticky-once": "false",
                   "show-submenus": "false", "show-workspace-names": "true"}.items():
    desktop["windowlist-menu/" + key] = ("bool", value)
for key, value in {"center-text": "true", "show-hidden-files": "false", "show-tooltips": "true", "single-click": "false",
                   "primary": "false", "use-custom-font-size": "false"}.items():
    desktop["desktop-icons/" + key] = ("bool", value)
for key, value in {"show-device-removable": "false", "show-network-removable": "false", "show-unknown-removable": "false"}.items():
    desktop["desktop-icons/file-icons/" + key] = ("bool", value)
desktop["desktop-icons/icon-size"] = ("uint", "48")
desktop["backdrop/screen0/monitorVNC-0/workspace0/backdrop-cycle-enable"] = ("bool", "false")
complete("xfce4-desktop", desktop)
