"""read_parquet.py FOLDER: the Parquet files below it, as pyarrow reads them. First a line about how they are written, then a row a line."""

import json
import struct
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def plain(cell):
    if isinstance(cell, bool) or cell is None or isinstance(cell, str):
        return cell
    return struct.pack(">d", cell).hex() if isinstance(cell, float) else str(cell)


def cells(column):
    return (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()


files = [pq.ParquetFile(path) for path in sorted(Path(sys.argv[1]).rglob("*.parquet"))]
groups = [file.metadata.row_group(at) for file in files for at in range(file.metadata.num_row_groups)]
codecs = {group.column(at).compression for group in groups for at in range(group.num_columns)}
schemas = [{field.name: f"{field.type}{'' if field.nullable else ' required'}" for field in file.schema_arrow} for file in files]
assert all(schema == schemas[0] for schema in schemas)
print(json.dumps({"codecs": sorted(codecs), "schema": schemas[0], "blocks": len(groups)}))
for file in files:
    table = file.read()
    for row in zip(*(cells(column) for column in table.columns)):
        print(json.dumps(dict(zip(table.column_names, map(plain, row)))))
