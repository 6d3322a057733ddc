"""How jobs read a topic of Kafka: committed records only, in the columns of Spark's own source, and nothing that is missing goes unnoticed."""

COLUMNS = ("topic", "partition", "offset", "timestamp", "key", "value", "headers")


def kafka_arguments(parser):
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--kafka-properties", help="file with properties of Kafka's consumer, one `name=value` a line")


def kafka_records(reader, options, **more):
    """`reader`: `spark.read` or `spark.readStream`."""
    source = {
        **consumer_properties(options.kafka_properties),
        "kafka.bootstrap.servers": options.brokers,
        "kafka.isolation.level": "read_committed",
        "failOnDataLoss": "true",
        "includeHeaders": "true",
        **more,
    }
    return reader.format("kafka").options(**source).load().select(*COLUMNS)


def consumer_properties(path):
    """What connects to Kafka and must not be seen in arguments: credentials, key stores."""
    if path is None:
        return {}
    with open(path, encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    pairs = [line.split("=", 1) for line in lines if "=" in line and not line.startswith(("#", "!"))]
    return {f"kafka.{name.strip()}": value.strip() for name, value in pairs}
