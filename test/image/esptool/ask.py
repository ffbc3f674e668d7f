"""Asks esptool's image-info about every .bin of a folder and prints the answers as JSON.

Usage: python ask.py FOLDER, with a Python that has esptool (pip install esptool).
"""

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

SEGMENT = re.compile(r"^\s*\d+\s+(0x[0-9a-f]+)\s+(0x[0-9a-f]+)\s+(0x[0-9a-f]+)", re.M)
CHECKSUM = re.compile(r"Checksum: (0x[0-9a-f]+) \((valid|invalid - calculated (0x[0-9a-f]+))\)")


def field(text, name):
    found = re.search(rf"^{name}: (\S+)", text, re.M)
    if not found:
        raise SystemExit(f"no {name} in:\n{text}")
    return found.group(1)


def ask(path):
    command = [sys.executable, "-m", "esptool", "--chip", "esp8266", "image-info", str(path)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    stored, verdict, calculated = CHECKSUM.search(text).groups()
    # esptool tells where a segment's own header of 8 bytes begins.
    segments = [
        {"length": int(length, 16), "address": int(address, 16), "offset": int(offset, 16) + 8}
        for length, address, offset in SEGMENT.findall(text)
    ]
    return {
        "version": int(field(text, "Image version")),
        "entry": int(field(text, "Entry point"), 16),
        "flashMode": field(text, "Flash mode"),
        "flashSize": field(text, "Flash size"),
        "flashFrequency": int(field(text, "Flash freq").rstrip("m")),
        "segments": segments,
        "checksum": {
            "stored": int(stored, 16),
            "valid": verdict == "valid",
            "computed": int(calculated or stored, 16),
        },
    }


folder = Path(sys.argv[1])
answers = {path.name: ask(path) for path in sorted(folder.glob("*.bin"))}
print(json.dumps({"esptool": version("esptool"), "answers": answers}))
