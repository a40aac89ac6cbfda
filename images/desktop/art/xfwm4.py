#!/usr/bin/env python3
"""Draws the window frames as XPM, which xfwm4 reads without any image loader: xfwm4.py FOLDER"""
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
HEIGHT, BUTTON = 28, 28
STATES = {"active": ("#dde2ea", "#aeb6c3", "#3d4554"), "inactive": ("#eceef2", "#c6ccd6", "#9aa2b0")}
HOVER, PRESSED, CLOSE = "#cbd2dd", "#b7c0ce", "#d65a4c"


def write(name, width, height, pixel):
    colours, rows = {}, []
    for y in range(height):
        row = ""
        for x in range(width):
            colour = pixel(x, y)
            row += colours.setdefault(colour, chr(ord("a") + len(colours)))
        rows.append(row)
    lines = [f"{width} {height} {len(colours)} 1"] + [f"{code} c {colour}" for colour, code in colours.items()] + rows
    text = "/* XPM */\nstatic char *image[] = {\n" + ",\n".join(f'"{line}"' for line in lines) + "\n};\n"
    (folder / f"{name}.xpm").write_text(text)


def title(state, edge):
    fill, border, _ = STATES[state]
    return lambda x, y: border if y in (0, HEIGHT - 1) or x == edge else fill


def on_glyph(kind, x, y):
    """A glyph on a 9 by 9 grid in the middle of the button."""
    x, y = x - (BUTTON - 9) // 2, y - (HEIGHT - 9) // 2
    if not (0 <= x < 9 and 0 <= y < 9):
        return False
    if kind == "close":
        return x == y or x + y == 8
    if kind == "hide":
        return y in (7, 8)
    if kind == "maximize":
        return x in (0, 8) or y in (0, 1, 8)
    back = 2 <= x and y <= 6 and (x in (2, 8) or y in (0, 6))
    front = x <= 6 and y >= 2 and (x in (0, 6) or y in (2, 3, 8))
    return front or back and not (x <= 6 and y >= 2)


for state, (fill, border, ink) in STATES.items():
    for part in range(1, 6):
        write(f"title-{part}-{state}", 4, HEIGHT, title(state, -1))
    write(f"top-left-{state}", 4, HEIGHT, title(state, 0))
    write(f"top-right-{state}", 4, HEIGHT, title(state, 3))
    for side in ("left", "right", "bottom"):
        write(f"{side}-{state}", 2, 2, lambda x, y, side=side: border if (side, x, y) in (
            ("left", 0, 0), ("left", 0, 1), ("right", 1, 0), ("right", 1, 1), ("bottom", 0, 1), ("bottom", 1, 1)) else fill)
    write(f"bottom-left-{state}", 2, 2, lambda x, y: border if x == 0 or y == 1 else fill)
    write(f"bottom-right-{state}", 2, 2, lambda x, y: border if x == 1 or y == 1 else fill)
    for kind in ("close", "hide", "maximize", "maximize-toggled"):
        def button(ground, mark):
            return lambda x, y: border if y in (0, HEIGHT - 1) else mark if on_glyph(kind, x, y) else ground
        write(f"{kind}-{state}", BUTTON, HEIGHT, button(fill, ink))
        write(f"{kind}-prelight" if state == "active" else f"{kind}-inactive-prelight", BUTTON, HEIGHT,
              button(CLOSE, "#ffffff") if kind == "close" else button(HOVER, STATES["active"][2]))
        if state == "active":
            write(f"{kind}-pressed", BUTTON, HEIGHT, button("#b8453a", "#ffffff") if kind == "close" else button(PRESSED, ink))
(folder / "themerc").write_text("""active_text_color=#2a2f3a
inactive_text_color=#8a92a0
title_shadow_active=false
title_shadow_inactive=false
full_width_title=true
title_vertical_offset_active=1
title_vertical_offset_inactive=1
button_offset=0
button_spacing=0
show_app_icon=true
maximized_offset=0
shadow_delta_height=0
shadow_delta_width=0
shadow_delta_x=0
shadow_delta_y=0
shadow_opacity=0
""")
