"""Opens a model's graph: the bytes whose hash was checked, one thread, and no memory kept that is not in use."""

from __future__ import annotations

import hashlib
from pathlib import Path

import onnxruntime

from services.inference.manifest import ModelError


def verified_bytes(file: Path, sha256: str) -> bytes:
    """A model file's bytes, after their hash was checked: what runs is what was checked. Raises ModelError."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ModelError(f"{file}: {error.strerror}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelError(f"{file.name}: sha256 is {found[:12]}…, the manifest says {sha256[:12]}…")
    return content


def open_session(content: bytes, *, accelerators: bool = False) -> onnxruntime.InferenceSession:
    """A session on the CPU, or on what else there is with the CPU last. Raises what onnxruntime raises: its own
    unrelated types for every kind of bad graph."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # the arena keeps its peak for good; a clinic's server has 2 GB in all
    # Without this, an x86 processor that has no VNNI cuts the kernels' sums of 8-bit products off at 16 bits and says
    # something else: a logit was off by 0.5 on average, by 2.5 at most.
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.log_severity_level = 3
    others = ("CPUExecutionProvider", "AzureExecutionProvider")
    first = [name for name in onnxruntime.get_available_providers() if name not in others] if accelerators else []
    return onnxruntime.InferenceSession(content, options, providers=[*first, "CPUExecutionProvider"])
