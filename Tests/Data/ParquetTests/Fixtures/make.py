"""Writes the Parquet fixtures of ParquetTests with pyarrow 26 (pip install pyarrow==26.*)."""

import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

here = pathlib.Path(__file__).parent

# The same five rows, every column in another Arrow type.
ids = [1, 2, None, 4, 5_000_000_000]
texts = ["one", "zwei", None, "", "五"]
pq.write_table(
    pa.table(
        {
            "int8": pa.array([1, 2, None, -4, 127], pa.int8()),
            "uint16": pa.array([1, 2, None, 4, 65535], pa.uint16()),
            "int32": pa.array([1, 2, None, -4, 5], pa.int32()),
            "int64": pa.array(ids, pa.int64()),
            "uint64": pa.array([1, 2, None, 4, 2**64 - 1], pa.uint64()),
            "half": pa.array([1, 2.5, None, -0.25, 65504], pa.float16()),
            "float": pa.array([1, 2.5, None, float("nan"), 5], pa.float32()),
            "double": pa.array([1, 2.5, None, float("inf"), 5e9], pa.float64()),
            "bool": pa.array([True, False, None, True, False], pa.bool_()),
            "string": pa.array(["1", " 2 ", None, "2.0", "tall"], pa.string()),
            "text": pa.array(texts, pa.string()),
            "large_string": pa.array(texts, pa.large_string()),
            "binary": pa.array([t and t.encode() for t in texts], pa.binary()),
            "dictionary": pa.array(texts, pa.string()).dictionary_encode(),
            "nulls": pa.array([None] * 5, pa.null()),
            "list": pa.array([[1], [], None, [2, 3], [4]], pa.list_(pa.int32())),
            "time": pa.array([0, 1, None, 3, 4], pa.timestamp("ms")),
        }
    ),
    here / "types.parquet",
)

# Three row groups of uneven size, more rows than a small batch.
count = 1000
pq.write_table(
    pa.table(
        {
            "SAMPLE_ID": pa.array([float(i * 7) for i in range(count)], pa.float64()),
            "URL": [f"http://example.com/{i}.jpg" for i in range(count)],
            "TEXT": [None if i % 10 == 3 else f"caption {i}" for i in range(count)],
            "WIDTH": pa.array([256 + i for i in range(count)], pa.int32()),
        }
    ),
    here / "groups.parquet",
    row_group_size=401,
    compression="snappy",
)
