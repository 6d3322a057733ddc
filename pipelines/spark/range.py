"""Reads exactly the offsets of a batch from Kafka, and publishes them under the id of the batch.

    range.py --brokers kafka:9092 --output hdfs://namenode/orders [--format json --text] [--kafka-properties FILE]
"""

import json

from batch_job import batch_arguments, process
from kafka_records import kafka_arguments, kafka_records


def main():
    parser = batch_arguments("Publishes a range of offsets of a Kafka topic.")
    kafka_arguments(parser)
    options = parser.parse_args()
    process(options, lambda spark: read_range(spark, options))


def read_range(spark, options):
    """Of every partition that the batch names, whatever was added since."""
    partitions = sorted(int(partition) for partition in json.loads(options.starting_offsets)[options.topic])
    return kafka_records(
        spark.read,
        options,
        assign=json.dumps({options.topic: partitions}),
        startingOffsets=options.starting_offsets,
        endingOffsets=options.ending_offsets,
        # The offsets are there: who waits longer for them waits for what retention has deleted.
        **{"kafkaConsumer.pollTimeoutMs": "10000"},
    )


if __name__ == "__main__":
    main()
