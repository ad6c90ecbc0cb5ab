"""Damage to a spool file costs the frames that it hits, and no others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_pipeline_otel.export.frames import (
    MARK,
    MAX_BODY,
    Frame,
    FrameKind,
    read_frames,
    write_frame,
)

# Marks inside of bodies are the hard case: a reader must not take them for frames.
BYTES = st.binary(max_size=40) | st.just(MARK * 3)
FRAMES = st.builds(
    Frame,
    kind=st.sampled_from(FrameKind),
    span_id=st.binary(min_size=8, max_size=8),
    resource=BYTES,
    scope=BYTES,
    spans=st.lists(BYTES, max_size=3).map(tuple),
)
FILES = st.lists(FRAMES, min_size=1, max_size=5)


@given(FILES)
def test_frames_come_back(frames: list[Frame]) -> None:
    """All of them, in their order."""
    assert list(read_frames(b"".join(map(write_frame, frames)))) == frames


@given(FILES, st.data())
def test_a_torn_tail_costs_the_frame_it_tears(frames: list[Frame], data: st.DataObject) -> None:
    """Every whole frame before the tear is read."""
    written = [write_frame(frame) for frame in frames]
    size = data.draw(st.integers(0, sum(map(len, written))))
    whole, at = 0, 0
    while whole < len(written) and at + len(written[whole]) <= size:
        at += len(written[whole])
        whole += 1
    assert list(read_frames(b"".join(written)[:size])) == frames[:whole]


@given(FILES, st.data())
def test_a_flipped_bit_costs_one_frame(frames: list[Frame], data: st.DataObject) -> None:
    """All frames but the one that holds the bit are read, wherever it lies."""
    written = [write_frame(frame) for frame in frames]
    hit = data.draw(st.integers(0, len(frames) - 1))
    bit = data.draw(st.integers(0, len(written[hit]) * 8 - 1))
    damaged = bytearray(written[hit])
    damaged[bit // 8] ^= 1 << bit % 8
    found = list(read_frames(b"".join([*written[:hit], bytes(damaged), *written[hit + 1 :]])))
    assert found == [*frames[:hit], *frames[hit + 1 :]]


@given(st.binary(max_size=400), FILES)
def test_rubbish_between_frames_is_passed_over(rubbish: bytes, frames: list[Frame]) -> None:
    """Whatever bytes stand in front, nothing is raised and nothing hangs."""
    found = list(read_frames(rubbish + b"".join(map(write_frame, frames))))
    assert found[-len(frames) :] == frames


def test_a_length_beyond_the_bound_is_damage() -> None:
    """A reader never believes a length that no writer writes."""
    frame = Frame(FrameKind.ENDED, bytes(8), b"", b"", (b"span",))
    hostile = MARK + (MAX_BODY + 1).to_bytes(4, "little") + bytes(4)
    assert list(read_frames(hostile + write_frame(frame))) == [frame]
