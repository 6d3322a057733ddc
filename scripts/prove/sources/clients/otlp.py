"""otlp.py URL FIRST COUNT [gzip]: numbered log records by PyPI's OTLP exporter over HTTP, in protobuf."""

import sys
import time

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

url, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
compression = Compression.Gzip if "gzip" in sys.argv[4:] else Compression.NoCompression
provider = LoggerProvider(resource=Resource.create({"service.name": "proof"}))
exporter = OTLPLogExporter(endpoint=url, compression=compression, timeout=30)
provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_queue_size=2 * count, max_export_batch_size=200))
logger = provider.get_logger("proof")
for n in range(first, first + count):
    logger.emit(
        LogRecord(
            timestamp=time.time_ns(),
            severity_number=SeverityNumber.INFO,
            severity_text="INFO",
            body="from Python, Grüße",
            attributes={"n": n},
        )
    )
provider.force_flush()
provider.shutdown()
