#!/usr/bin/env python3
"""Takes the size from Mousepad's banner "you are using the root account": mousepad.py LIBRARY

Here everybody is root and no setting or theme reaches the banner; its style is a string in the library. The length stays."""
import pathlib
import sys

library = pathlib.Path(sys.argv[1])
before = b"label { background-color: #b4254b; color: #fefefe; }"
after = b"label { font-size: 0; opacity: 0; min-height: 0; }".ljust(len(before))
content = library.read_bytes()
if before in content:
    library.write_bytes(content.replace(before, after))
else:
    print("mousepad's banner has another style now; it is left as it is", file=sys.stderr)
