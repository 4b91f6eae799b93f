"""Other methods as the LAR-IQA paper's Tables 7 and 8 give them: quoted, not measured.

Table 7: validation set of UHD-IQA. Table 8: test set. The paper took the baselines' figures from the data set's own
publication (arXiv 2406.17472). "G" there is 10^9 MACs of one 3840x2160 photo; "<= 37" is a bound, and is kept as one.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.measure.measurement import Measurement, Subject, Work

SOURCE = "LAR-IQA paper, Tables 7 and 8"
PAPER_BOUND_GMACS = 37  # of both LAR-IQA rows, "<= 37"


@dataclass(frozen=True)
class QuotedMethod:
    """One line of the two tables; correlations with human ratings, not with a reference."""

    name: str
    gmacs: int
    parameters_millions: float | None
    validation_plcc: float
    validation_srcc: float
    test_plcc: float
    test_srcc: float

    @property
    def is_bound(self) -> bool:
        """Whether the paper gives its MACs as an upper bound."""
        return self.name.startswith("LAR-IQA")


QUOTED = (
    QuotedMethod("HyperIQA", 211, 27.3, 0.182, 0.524, 0.103, 0.553),
    QuotedMethod("Effnet-2C-MLSP", 345, None, 0.627, 0.615, 0.641, 0.675),
    QuotedMethod("CONTRIQUE", 855, 27.9, 0.712, 0.716, 0.678, 0.732),
    QuotedMethod("ARNIQA", 855, 27.9, 0.717, 0.718, 0.694, 0.739),
    QuotedMethod("CLIP-IQA+", 895, 102, 0.732, 0.743, 0.709, 0.747),
    QuotedMethod("QualiCLIP", 901, 102, 0.752, 0.757, 0.725, 0.770),
    QuotedMethod("LAR-IQA (MLP head)", PAPER_BOUND_GMACS, 21.2, 0.797, 0.791, 0.774, 0.809),
    QuotedMethod("LAR-IQA (KAN head)", PAPER_BOUND_GMACS, 21.1, 0.809, 0.803, 0.787, 0.836),
)


def quoted_rows(report: str = "") -> list[Measurement]:
    """The methods as rows of role ``quoted``, to be added to the measured rows of a report."""
    return [
        Measurement(
            report=report,
            measured_by=SOURCE,
            subject=Subject(
                name=method.name,
                role="quoted",
                trained=True,
                note=(
                    f"quoted, not measured ({SOURCE}). Accuracy on UHD-IQA: "
                    f"validation SRCC {method.validation_srcc:.3f}, PLCC {method.validation_plcc:.3f}; "
                    f"test SRCC {method.test_srcc:.3f}, PLCC {method.test_plcc:.3f}"
                    + ("; its MACs are an upper bound" if method.is_bound else "")
                ),
            ),
            work=Work(
                macs=method.gmacs * 10**9,
                parameters=method.parameters_millions and round(method.parameters_millions * 1e6),
            ),
        )
        for method in QUOTED
    ]
