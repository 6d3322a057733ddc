"""What jobs that Sluice submits have in common: the arguments that name a batch, and output that is published under the
id of the batch once, whole, and never in the place of another's.

Keep it beside the job. Where the driver does not run from this folder (cluster mode on YARN or Kubernetes), name it in
`application.py_files`.
"""

import argparse
import os
import uuid

from pyspark.sql import Observation, SparkSession
from pyspark.sql import functions as f


def batch_arguments(description):
    """A parser that knows what Sluice puts behind a job's own arguments."""
    parser = argparse.ArgumentParser(description=description, allow_abbrev=False)
    parser.add_argument("--output", required=True, help="folder or URL below which batches are published")
    parser.add_argument("--format", choices=["parquet", "orc", "json"], default="parquet")
    parser.add_argument("--text", action="store_true", help="keys and values are text, not bytes (in JSON: base64)")
    batch = parser.add_argument_group("the batch, from Sluice")
    batch.add_argument("--batch-id", required=True)
    batch.add_argument("--topic", required=True)
    batch.add_argument("--starting-offsets", required=True)
    batch.add_argument("--ending-offsets", required=True)
    batch.add_argument("--input")
    return parser


def process(options, read, expected=lambda spark: None):
    """Publishes the records that `read(spark)` gives, unless the batch is published already: then it is done.

    `expected(spark)`: how many there have to be; None where nobody knows. Raises when the batch is not published.
    """
    # Without a name of its own: the application has that of its batch, by which Sluice finds it.
    spark = SparkSession.builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    try:
        output = BatchOutput(spark, options.output, options.batch_id)
        if output.is_published():
            print(f"batch {options.batch_id} is done already", flush=True)
            output.clean()
            return
        try:
            records = write(read(spark), options, output.attempt)
            wanted = expected(spark)
            if wanted not in (None, records):
                raise ValueError(f"{records} records were read of {wanted}")
            first = output.publish()
            print(f"batch {options.batch_id}: {records} records, {'published' if first else 'another was first'}", flush=True)
        except Exception:
            # Whoever was first has removed what this driver was writing.
            if not output.is_published():
                output.remove_attempt()
                raise
        output.clean()
    finally:
        spark.stop()


def write(frame, options, folder):
    """Writes the columns of Spark's Kafka source into a new folder, and returns how many records that were."""
    if options.text:
        frame = frame.withColumns({name: f.col(name).cast("string") for name in ("key", "value")})
    counted = Observation("records")
    frame.observe(counted, f.count(f.lit(1)).alias("count")).write.format(options.format).save(folder)
    return counted.get["count"]


class BatchOutput:
    """The folder `batch=<id>` of one batch, which Spark reads as a partition of all of them, and what is written of it.

    On a file system with an atomic rename: HDFS, or a POSIX one that all nodes share. An object store has none: commit
    to a table format there, with the batch id in the same transaction.
    """

    def __init__(self, spark, folder, batch_id):
        self._hadoop = spark._jvm.org.apache.hadoop.fs
        self._gateway = spark._sc._gateway
        self._configuration = spark._jsc.hadoopConfiguration()
        root = self._hadoop.Path(folder)
        self._files = root.getFileSystem(self._configuration)
        self._root = self._files.makeQualified(root)
        self._batch_id = batch_id
        self._published = self._hadoop.Path(self._root, f"batch={batch_id}")
        # A name that begins with a dot is none that readers of Hadoop's kind look at.
        self._attempt = self._hadoop.Path(self._root, f".{batch_id}.{uuid.uuid4().hex}.tmp")

    @property
    def attempt(self):
        return self._attempt.toString()

    def is_published(self):
        return self._files.exists(self._published)

    def publish(self):
        """True when this driver was first. Whole or not at all: the rename fails where a folder is already."""
        try:
            if self._published.toUri().getScheme() == "file":
                # Hadoop's own looks first and renames then; the system does both in one.
                os.rename(self._attempt.toUri().getPath(), self._published.toUri().getPath())
            else:
                no_options = self._gateway.new_array(getattr(self._hadoop, "Options$Rename"), 0)
                context = self._hadoop.FileContext.getFileContext(self._root.toUri(), self._configuration)
                context.rename(self._attempt, self._published, no_options)
        except Exception:
            if not self.is_published():
                raise
            return False
        return True

    def remove_attempt(self):
        self._files.delete(self._attempt, True)

    def clean(self):
        """Removes what drivers of this batch left, or are still writing: it is published."""
        for status in self._files.listStatus(self._root):
            name = status.getPath().getName()
            if name.startswith(f".{self._batch_id}.") and name.endswith(".tmp"):
                self._files.delete(status.getPath(), True)
