"""Reads messages of brokers with the CloudEvents SDK for Python, and writes what it understood and the message it makes of it.

One JSON object per line on standard input and output; test/interop/support/sdk-program.ts describes both.
"""

import json
import sys

from cloudevents.core.bindings import kafka, rabbitmq


def read_kafka(message):
    headers = {name: value.encode() for name, value in message["headers"].items()}
    event = kafka.from_kafka_event(
        kafka.KafkaMessage(headers=headers, key=message["key"].encode(), value=message["body"].encode())
    )
    write = kafka.to_binary_event if message["mode"] == "binary" else kafka.to_structured_event
    again = write(event)
    return event, {name: value.decode() for name, value in again.headers.items()}, again.value


def read_rabbitmq(message):
    content_type = message["headers"]["content-type"]
    event = rabbitmq.from_rabbitmq_event(
        rabbitmq.RabbitMQMessage(headers=message["headers"], content_type=content_type, body=message["body"].encode())
    )
    write = rabbitmq.to_binary_event if message["mode"] == "binary" else rabbitmq.to_structured_event
    again = write(event)
    return event, {**again.headers, "content-type": again.content_type}, again.body


def text_of(value):
    return value if isinstance(value, str) else json.dumps(value)


def answer(message):
    read = read_kafka if message["broker"] == "kafka" else read_rabbitmq
    event, headers, body = read(message)
    attributes = dict(event.get_attributes())
    instant = attributes.pop("time")
    return {
        "timeMs": round(instant.timestamp() * 1000),
        "attributes": {name: text_of(value) for name, value in attributes.items()},
        "again": {"headers": headers, "body": body.decode()},
    }


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
