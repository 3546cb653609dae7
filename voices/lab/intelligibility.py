"""How much of the Kiswahili a recogniser understands, beside espeak-ng's formant synthesis and, where given, people.

    python -m voices.lab.intelligibility                  # the sentences that nothing was chosen on
    python -m voices.lab.intelligibility --set choose     # those that maps and scales are chosen on
    python -m voices.lab.intelligibility --set confirm    # others, to see whether a choice holds
    python -m voices.lab.intelligibility --human FOLDER   # recordings: FOLDER/transcripts.tsv (file, tab, text)

The voice draws its noise anew each time it speaks, which moves the median of 24 sentences by as much as most changes of
the map do: each is said several times (`--draws`), and its error is their mean.

Prints JSON: the median and mean character error of each speaker, clean (at its own rate) and as a call carries it
(8 kHz, µ-law), of the news and health sentences, of the catalogue's own results, and of both together.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean, median

from flows.catalogue import text
from voices import voice_for
from voices.lab.recogniser import character_error, hear
from voices.lab.speakers import Wave, formant, piper, telephoned

Errors = dict[str, list[float]]

LANGUAGE = "sw"
_SENTENCES = Path(__file__).with_name("sentences_sw.tsv")
_RESULTS = (
    "result-refer",
    "result-rescreen",
    "result-waiting",
    "result-locked",
    "call-ready",
    "ask-result-code-voice",
    "code-unknown",
    "code-help",
    "goodbye",
)


def sentences(kind: str) -> list[str]:
    """The written sentences of one set: `choose`, `confirm`, `report`, or the catalogue's `results`."""
    if kind == "results":
        return [text(LANGUAGE, message_id, place="place-eye-clinic") for message_id in _RESULTS]
    rows = [line.split("\t") for line in _SENTENCES.read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    return [sentence for name, sentence in rows if name == kind]


def recordings(folder: Path) -> list[tuple[str, Wave]]:
    """What was read, and the recording of it."""
    import soundfile

    found = []
    for line in (folder / "transcripts.tsv").read_text(encoding="utf-8").splitlines():
        name, said = line.split("\t")[:2]
        samples, rate = soundfile.read(folder / name, dtype="float32", always_2d=True)
        found.append((said, (samples.mean(axis=1), rate)))
    return found


def score(models: Path, spoken: Sequence[tuple[str, Sequence[Wave]]], *, show: bool) -> Errors:
    """The character error of each thing said, by how it sounded; the mean of the times it was said. A recogniser that
    loops can write much more than was said: an error counts as 1 at most."""
    errors: Errors = {"clean": [], "mulaw_8khz": []}
    for said, waves in spoken:
        for kind in errors:
            heard = [hear(models, LANGUAGE, wave if kind == "clean" else telephoned(wave)) for wave in waves]
            found = [min(1.0, character_error(LANGUAGE, said, each)) for each in heard]
            errors[kind].append(mean(found))
            if show:
                lines = [f"  {error:.3f} {words}" for error, words in zip(found, heard, strict=True)]
                print("\n".join([kind, f"  {said}", *lines]), file=sys.stderr)
    return errors


def figures(errors: Errors) -> dict[str, float | int]:
    """Medians and means over sentences."""
    found: dict[str, float | int] = {"sentences": len(errors["clean"])}
    for kind, each in errors.items():
        found |= {f"{kind}_median": round(median(each), 3), f"{kind}_mean": round(mean(each), 3)}
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m voices.lab.intelligibility", description=__doc__)
    parser.add_argument("--set", choices=("choose", "confirm", "report", "results"), action="append")
    parser.add_argument("--human", type=Path, metavar="FOLDER")
    parser.add_argument("--model", type=Path, default=Path(tempfile.gettempdir()) / "jicho-whisper-base")
    parser.add_argument("--scales", metavar="LENGTH,NOISE,NOISE_W", help="instead of the voice's own")
    parser.add_argument("--draws", type=int, default=3, help="how often the voice says each sentence")
    parser.add_argument("--no-formant", action="store_true")
    parser.add_argument("--show", action="store_true", help="each sentence, and what was heard, to the error stream")
    chosen = parser.parse_args(arguments)
    voice = voice_for(LANGUAGE)
    if chosen.scales:
        length, noise, noise_w = map(float, chosen.scales.split(","))
        voice = replace(voice, length_scale=length, noise_scale=noise, noise_w_scale=noise_w)
    sets = chosen.set or ["report", "results"]
    errors: dict[str, dict[str, Errors]] = {}
    for kind in sets:
        said = sentences(kind)
        spoken = {"jicho": [[piper(voice, each) for _ in range(chosen.draws)] for each in said]}
        if not chosen.no_formant:
            spoken["espeak_ng"] = [[wave] for wave in formant(LANGUAGE, said)]
        errors[kind] = {
            speaker: score(chosen.model, list(zip(said, waves, strict=True)), show=chosen.show)
            for speaker, waves in spoken.items()
        }
    if len(sets) > 1:
        errors["together"] = {
            speaker: {way: [each for kind in sets for each in errors[kind][speaker][way]] for way in ways}
            for speaker, ways in errors[sets[0]].items()
        }
    if chosen.human:
        people = [(said, [wave]) for said, wave in recordings(chosen.human)]
        errors["recordings"] = {"human": score(chosen.model, people, show=chosen.show)}
    report = {kind: {speaker: figures(each) for speaker, each in found.items()} for kind, found in errors.items()}
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
