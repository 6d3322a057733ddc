"""forward.py PORT TAG FIRST COUNT: numbered records over one connection of the forward protocol, by PyPI's fluent-logger, which knows no acknowledgements."""

import sys

from fluent import sender

port, tag, first, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
logger = sender.FluentSender(tag, host="127.0.0.1", port=port, nanosecond_precision=True, timeout=30)
for n in range(first, first + count):
    if not logger.emit("python", {"n": n, "text": "from Python, Grüße"}):
        sys.exit(f"record {n}: {logger.last_error}")
logger.close()
