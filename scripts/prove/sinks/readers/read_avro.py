"""read_avro.py FOLDER: the Avro files below it, as fastavro reads them. First a line about how they are written, then a record a line."""

import datetime
import json
import struct
import sys
from pathlib import Path

import fastavro

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def plain(cell):
    if isinstance(cell, bool) or cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, dict):
        return {name: plain(value) for name, value in cell.items()}
    if isinstance(cell, list):
        return [plain(value) for value in cell]
    if isinstance(cell, datetime.datetime):
        return str((cell - EPOCH) // datetime.timedelta(milliseconds=1))
    if isinstance(cell, datetime.date):
        return str((cell - EPOCH.date()).days)
    return struct.pack(">d", cell).hex() if isinstance(cell, float) else str(cell)


paths = sorted(Path(sys.argv[1]).rglob("*.avro"))
codecs, schemas, blocks = set(), [], 0
for path in paths:
    with path.open("rb") as file:
        reader = fastavro.block_reader(file)
        codecs.add(reader.codec)
        schemas.append(reader.writer_schema)
        blocks += sum(1 for _ in reader)
assert all(schema == schemas[0] for schema in schemas)
print(json.dumps({"codecs": sorted(codecs), "schema": schemas[0], "blocks": blocks}))
for path in paths:
    with path.open("rb") as file:
        for record in fastavro.reader(file):
            # A union of text and a number: which of the two it was counts, too.
            note = record.get("note")
            if note is not None:
                record["note"] = {"text" if isinstance(note, str) else "number": str(note)}
            print(json.dumps(plain(record)))
