"""Publishes a batch whose records Sluice has landed as JSON lines, in the columns of Spark's Kafka source.

    landed.py --output /srv/orders [--format json --text]

`land: { values: text }` (the default) and `land: { values: base64 }` both come out as the bytes that they were.
"""

import json

from pyspark.sql import functions as f

from batch_job import batch_arguments, process

FIELD = "key STRING, key_base64 STRING, value STRING, value_base64 STRING"
LINE = (
    f"topic STRING, partition INT, offset LONG, timestamp TIMESTAMP, {FIELD}, "
    "headers ARRAY<STRUCT<key: STRING, value: STRING, value_base64: STRING>>"
)


def main():
    parser = batch_arguments("Publishes a landed batch.")
    parser.add_argument("--values", choices=["text", "base64"], default="text", help="as in `land.values`")
    options = parser.parse_args()
    if options.input is None:
        parser.error("--input is missing: the sink needs `land`")
    process(options, lambda spark: read_landed(spark, options), lambda spark: landed_records(spark, options))


def read_landed(spark, options):
    def field(name, path=""):
        if options.values == "base64":
            return f"unbase64({path}{name})"
        return f"coalesce(encode({path}{name}, 'UTF-8'), unbase64({path}{name}_base64))"

    # A line that is none fails the job, rather than being a row of nulls.
    lines = spark.read.schema(LINE).option("mode", "FAILFAST").json(options.input)
    header = f"named_struct('key', header.key, 'value', {field('value', 'header.')})"
    return lines.select(
        "topic",
        "partition",
        "offset",
        "timestamp",
        f.expr(field("key")).alias("key"),
        f.expr(field("value")).alias("value"),
        f.expr(f"transform(headers, header -> {header})").alias("headers"),
    )


def landed_records(spark, options):
    """As the manifest has it, which readers of Spark's own leave alone."""
    path = spark._jvm.org.apache.hadoop.fs.Path(options.input, "_SUCCESS")
    stream = path.getFileSystem(spark._jsc.hadoopConfiguration()).open(path)
    try:
        return json.loads(spark._jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8"))["records"]
    finally:
        stream.close()


if __name__ == "__main__":
    main()
