"""Sentry and OpenTelemetry as applications use them, with nothing sent anywhere."""

from __future__ import annotations

import json
from typing import Any

import sentry_sdk
import sentry_sdk.integrations.asgi
import sentry_sdk.integrations.wsgi
from apps.control import control
from apps.holders import holders
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware as ASGITracing
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware as WSGITracing
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport


class Drawer(Transport):
    """A transport that keeps what Sentry would send."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        event = envelope.get_event()
        if event is not None:
            self.events.append(json.loads(json.dumps(event)))

    def hand_over(self) -> list[Any]:
        events, self.events = self.events, []
        return events


def keep_exception(event: Any, hint: Any) -> Any:
    """Hold the exception itself too, as trackers that group by traceback do."""
    holders.exceptions.append(hint["exc_info"][1])
    return event


def traced_asgi(app: Any) -> Any:
    return ASGITracing(app, tracer_provider=tracing)


def traced_wsgi(app: Any) -> Any:
    return WSGITracing(app, tracer_provider=tracing)


def hand_over_spans() -> list[str]:
    names = [span.name for span in exporter.get_finished_spans()]
    exporter.clear()
    return names


tracked_asgi = sentry_sdk.integrations.asgi.SentryAsgiMiddleware
tracked_wsgi = sentry_sdk.integrations.wsgi.SentryWsgiMiddleware
drawer = Drawer()
sentry_sdk.init(
    dsn="http://key@localhost/1",
    transport=drawer,
    include_local_variables=True,
    default_integrations=False,
    auto_enabling_integrations=False,
    before_send=keep_exception,
)
exporter = InMemorySpanExporter()
tracing = TracerProvider()
tracing.add_span_processor(SimpleSpanProcessor(exporter))
control.actions |= {"tracked": drawer.hand_over, "spans": hand_over_spans}
