"""Proofs on the screen: one row per artifact."""

from __future__ import annotations

from itertools import groupby

from rich import box
from rich.markup import escape
from rich.table import Column, Table

from lariqa_cli.screen import note, say, show


def print_proofs(proofs: list, title: str, photos: bool = False) -> None:
    """One row per artifact: score, size, parity, how it was run; with ``photos``, each photo's scores as well."""
    if not proofs:
        return
    first = proofs[0][1]
    table = Table(  # on a terminal of 80 columns the numbers stay whole and the words are folded
        Column("artifact", overflow="fold", min_width=16),
        *(Column(name, no_wrap=True) for name in ("MB", "score", "worst", "mean", "limit")),
        Column("run by", overflow="fold", min_width=12),
        box=box.SIMPLE_HEAD,
    )
    for artifact, parity in proofs:
        colour = "green" if parity.passed else "red"
        table.add_row(
            escape(artifact.file),
            f"{artifact.bytes / 1e6:.1f}",
            f"{parity.photos[0].score:.6f}",
            f"[{colour}]{parity.worst:.1e}[/]",
            f"{parity.mean:.1e}",
            f"{parity.limit:.0e}",
            f"{artifact.status}: {parity.runtime}",
        )
    say(title)
    show(table)
    say(
        f"score: of {first.photos[0].photo}; worst, mean: |difference| to {first.reference} "
        f"over {len(first.photos)} photos"
    )
    if len({(photo.width_px, photo.height_px) for photo in first.photos}) > 1:
        hardest = max((parity.worst_photo for _, parity in proofs), key=lambda photo: photo.error)
        say(f"worst of all: {hardest.error:.1e}, on {hardest.photo} ({hardest.width_px}x{hardest.height_px})")
    for photo in first.extraordinary:
        note(
            f"PyTorch itself gives the proof's {photo.photo} {photo.reference:.2f}, far from 0..1: this model never "
            "learnt such pictures. The limit there is a share of the score; the file is not at fault.",
            "Extraordinary:",
            "yellow",
        )
    if not photos:
        return
    # One table for all artifacts compared with the same reference: scores change with the size and the view.
    for reference, group in groupby(proofs, key=lambda proof: [photo.reference for photo in proof[1].photos]):
        group = list(group)
        table = Table("PyTorch", *(artifact.format for artifact, _ in group), "photo", box=box.SIMPLE_HEAD)
        table.columns[-1].overflow = "fold"
        for index, expected in enumerate(reference):
            scores = [expected, *(parity.photos[index].score for _, parity in group)]
            table.add_row(*(f"{score:.6f}" for score in scores), escape(group[0][1].photos[index].photo))
        show(table)


def print_plans(artifacts: list) -> None:
    """What lower precisions did with each group of layers: those that were raised, and the sensitivities."""
    for artifact in artifacts:
        if not artifact.plan:
            continue
        weight_formats = artifact.plan["weight_formats"]
        counted = ", ".join(
            f"{weight_format} {list(weight_formats.values()).count(weight_format)}"
            for weight_format in dict.fromkeys(weight_formats.values())
        )
        say(f"{artifact.file}: groups of layers by weight format: {counted}; computed in {artifact.plan['compute']}")
        for sentence in artifact.plan["notes"]:
            note(sentence, "Plan:", "yellow")
        if not artifact.plan["sensitivity"]:
            continue
        table = Table("layers", "alone in", "sd of score", "ends as", box=box.SIMPLE_HEAD)
        for row in artifact.plan["sensitivity"]:
            table.add_row(escape(row["group"]), row["weight_format"], f"{row['sd']:.1e}", weight_formats[row["group"]])
        show(table)


RUNTIME_COLUMNS = ("runtime", "version", "asked for", "threads", "worst", "on", "time / own", "day")


def print_elsewhere(rows: list, title: str, markdown: bool = False) -> None:
    """One row per other runtime; ``markdown``: as a table for a document."""
    accelerated = any(row.on_cpu is not None for row in rows)
    columns = (*RUNTIME_COLUMNS, "left to the CPU") if accelerated else RUNTIME_COLUMNS
    cells = [_elsewhere_cells(row)[: len(columns)] for row in rows]
    timed = [row for row in rows if row.ratios]
    say(title)
    if markdown:
        for line in (columns, ["---"] * len(columns), *cells):
            say(f"| {' | '.join(word.replace('|', '/') for word in line)} |")
    else:
        table = Table(*(Column(name, overflow="fold") for name in columns), box=box.SIMPLE_HEAD)
        for row, line in zip(rows, cells, strict=True):
            colour = "yellow" if not row.way.judged else "green" if row.passed else "red"
            table.add_row(*map(escape, line[:4]), f"[{colour}]{escape(line[4])}[/]", *map(escape, line[5:]))
        show(table)
    first = next((row.parity for row in rows if row.parity), None)
    if first is not None:
        say(
            f"worst: |difference| to {first.reference} over {len(first.photos)} photos, on the photo named"
            + (f"; limit {first.limit:.0e}" if first.limit is not None else "")
        )
    if timed:
        own_ms = [row.own_ms for row in timed]
        say(
            f"time / own: in turns with {timed[0].own}, which took {min(own_ms):.0f} to {max(own_ms):.0f} ms; "
            "median, and the middle half of the turns"
        )
    if accelerated:
        say("left to the CPU: of the file's operators, those that the accelerator did not take")


def _elsewhere_cells(row) -> list[str]:
    """A row of ``print_elsewhere`` in words."""
    import numpy as np

    if row.parity is None or row.failure:
        worst, photo = row.failure or "no score", ""
    else:
        worst, photo = f"{row.parity.worst:.1e}", row.parity.worst_photo.photo
    time = "" if row.ratio is None else "{:.2f} ({:.2f} to {:.2f})".format(*np.percentile(row.ratios, [50, 25, 75]))
    asked = row.way.said or "nothing"
    on_cpu = "" if row.on_cpu is None else f"{row.on_cpu} operators"
    return [row.runtime.label, row.version, asked, str(row.threads or ""), worst, photo, time, row.day, on_cpu]
