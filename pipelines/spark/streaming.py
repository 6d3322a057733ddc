"""A query of Structured Streaming from Kafka into files. It keeps its own offsets; Sluice's sink `spark_streaming` reads
them from the checkpoint folder, and shows the lag.

    spark-submit … streaming.py --brokers kafka:9092 --topic orders --output /srv/orders --checkpoint /srv/checkpoint

Stopped or killed, and started again with the same checkpoint, it goes on where it stood: each record once in the files.
"""

import argparse

from pyspark.sql import SparkSession

from kafka_records import kafka_arguments, kafka_records


def main():
    parser = argparse.ArgumentParser(description="Writes a Kafka topic into files, as it grows.", allow_abbrev=False)
    kafka_arguments(parser)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--format", choices=["parquet", "orc", "json"], default="parquet")
    parser.add_argument("--every", default="10 seconds", help="how often files are written")
    parser.add_argument("--once", action="store_true", help="end when what is there now is written")
    options = parser.parse_args()
    spark = SparkSession.builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    records = kafka_records(spark.readStream, options, subscribe=options.topic, startingOffsets="earliest")
    query = (
        records.writeStream.format(options.format)
        .option("path", options.output)
        .option("checkpointLocation", options.checkpoint)
        .trigger(**({"availableNow": True} if options.once else {"processingTime": options.every}))
        .start()
    )
    query.awaitTermination()


if __name__ == "__main__":
    main()
