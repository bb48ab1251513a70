"""Messages that botocore's own parser reads."""

from botocore.eventstream import EventStreamBuffer
from hypothesis import example, given
from hypothesis import strategies as st

from longspan.infra.local.moto.invocation_app import payload_parts


@given(st.binary())
@example(bytes(200_000))
def test_the_parts_are_the_body(body: bytes) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(b"".join(payload_parts(body)))
    events = list(buffer)
    assert b"".join(event.payload for event in events) == body
    assert all(event.headers[":event-type"] == "PayloadPart" for event in events)
    assert all(event.payload for event in events)
