"""Whatever bytes come, reading answers with findings; nothing else ever escapes."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.documents.codes import Severity
from gateway.xml.national import LIMITS, NationalFormat, load_national_formats
from tests.factories import certificate, customs_response
from tests.national.bench_format import load, read_one, source

FORMATS = load_national_formats()
SAMPLES = {
    name: format_.write_all([certificate(), certificate()]) for name, format_ in FORMATS.items()
}
RESPONSES = {name: format_.write_response(customs_response()) for name, format_ in FORMATS.items()}
each_format = pytest.mark.parametrize("name", FORMATS)


def assert_answered(format_: NationalFormat, raw: bytes) -> None:
    for readings in (format_.read(raw), format_.read_response(raw)):
        assert readings
        for reading in readings:
            refused = any(item.severity is Severity.ERROR for item in reading.findings)
            assert (reading.document is None) == refused
            for item in reading.findings:
                assert item.message.ar
                item.model_dump_json().encode()


@each_format
@given(raw=st.binary(max_size=300))
@settings(max_examples=80, deadline=None)
def test_noise_is_answered(name: str, raw: bytes) -> None:
    assert_answered(FORMATS[name], raw)


NASTY = [b"", b"\x00", b"=1+1", b"NaN", b"1e999999", b"9" * 5000, b"{{{{", b"[[[[", b'"', b";", b"\n", b"\xff", b"\xef\xbb\xbf", b"\\ud800", b"&#0;", b"<x/>", b"\xe2\x80\xae", b"#HDR", b"'"]  # fmt: skip


@each_format
@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_a_damaged_file_is_answered(name: str, data: st.DataObject) -> None:
    raw = data.draw(st.sampled_from([SAMPLES[name], RESPONSES[name]]))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(raw)))
        end = min(len(raw), start + data.draw(st.integers(0, 40)))
        raw = raw[:start] + data.draw(st.sampled_from(NASTY)) + raw[end:]
    assert_answered(FORMATS[name], raw)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(value=json_values, key=st.sampled_from(sorted(source())))
@settings(max_examples=150, deadline=None)
def test_any_json_value_in_any_place_is_answered(
    tmp_path_factory: pytest.TempPathFactory, value: object, key: str
) -> None:
    bent = load(tmp_path_factory.mktemp("bent"))
    reading = read_one(bent, **{key: value, "unknown": value})
    assert reading.findings or reading.document is not None


@pytest.mark.parametrize(
    "deep", [b"[" * 200_000, b'{"a":' * 200_000, b'{"certificates":' + b"[" * 40 + b"]" * 40 + b"}"]
)
def test_deep_json_is_refused_before_it_is_parsed(deep: bytes) -> None:
    (reading,) = FORMATS["single-window-json"].read(deep)
    assert str(LIMITS.max_depth) in reading.findings[0].message.en


def test_an_unterminated_text_costs_linear_time(tmp_path: Path) -> None:
    bent = load(tmp_path)
    started = time.perf_counter()
    bent.read(b'"' + b'\\"' * 500_000)
    assert time.perf_counter() - started < 5


@each_format
def test_a_file_beyond_the_limit_is_refused_unread(name: str) -> None:
    (reading,) = FORMATS[name].read(b" " * (LIMITS.max_bytes + 1))
    assert reading.document is None
    assert reading.findings[0].rule == "SOURCE"


def test_too_many_documents_are_refused(tmp_path: Path) -> None:
    raw = b"[" + b",".join([b"{}"] * (LIMITS.max_documents + 1)) + b"]"
    (reading,) = load(tmp_path).read(raw)
    assert str(LIMITS.max_documents) in reading.findings[0].message.en


def test_too_many_nodes_are_refused(tmp_path: Path) -> None:
    raw = b"[" + b",".join([b"[]"] * (LIMITS.max_nodes + 1)) + b"]"
    (reading,) = load(tmp_path).read(raw)
    assert "nodes" in reading.findings[0].message.en


def test_a_certificate_with_thousands_of_faults_gets_a_bounded_answer(tmp_path: Path) -> None:
    goods = [{"pos": "x", "qty": "y", f"unknown{n}": 1} for n in range(5000)]
    reading = read_one(load(tmp_path), goods=goods)
    assert reading.document is None
    assert len(reading.findings) <= 200


def test_the_work_of_reading_grows_with_the_faults_and_not_with_their_square(tmp_path: Path):
    reader = load(tmp_path)

    def calls_for(items: int) -> int:
        calls = 0

        def count(_frame: object, event: str, _arg: object) -> None:
            nonlocal calls
            calls += event == "call"

        goods = [{"pos": "x", "qty": "y", f"unknown{n}": 1} for n in range(items)]
        sys.setprofile(count)
        try:
            read_one(reader, goods=goods)
        finally:
            sys.setprofile(None)
        return calls

    calls_for(10)
    assert calls_for(400) < 2.5 * calls_for(200)


def test_lone_surrogates_and_control_characters_never_reach_a_finding(tmp_path: Path) -> None:
    raw = json.dumps(
        source(**{"exporter": "a\ud800b", "x\ud800\x00": "v\ud800", "until": "\x00\u202e"})
    ).encode()
    (reading,) = load(tmp_path).read(raw)
    assert reading.document is None
    for item in reading.findings:
        assert item.message.en.isprintable()
        assert item.path.isprintable()
