"""The measurement measures."""

from __future__ import annotations

from services.speech.bench import bench


def test_it_reports_the_promised_figures() -> None:
    figures = bench()
    assert {"cached_ms", "cpu_s_per_audio_s", "first_audio_s", "rss_mb"} <= figures.keys()
    assert all(figures[key] > 0 for key in ("cached_ms", "cpu_s_per_audio_s", "first_audio_s", "rss_mb"))
    assert figures["audio_s"] > 10
