"""The paper's tables as data: each row's figures as published, and the recipes and evaluation that measure it again.

Every figure is quoted from the paper's Tables 2 to 8. A row without recipes is another method's, quoted only.
Counted here and differing from the paper, for Table 3: 2 FLOPs per weight give 0.26 M for the MLP 1000-128-1 and
2.31 M for the KAN (9 weights per edge), as published; the matched MLP 1000-1125-128-1 has 1,125,000 + 144,000 + 128 =
1,269,128 weights, so 2.54 M, where the paper prints 2.60 M. Biases (1,254) and ReLUs (1,253) add 0.003 M; 1,153 hidden
neurons in place of the 1,125 of Section 3.3 would give 2.60 M. No way of counting that we know gives both.
Table 4's parameters count the encoder with its 1000 outputs; the paper's 7.1 M for MobileNetV3 (5.5 M in timm) is
near encoder plus KAN head, 6.8 M.
Table 6 has five rows in the paper, and they are all here: either branch alone and both, frozen, 128 neurons; both,
frozen, 512; both, fine-tuned, 512. The columns imply a sixth setting (fine-tuned, 128), which has no figure.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lariqa.errors import Refusal, nearest

CORRELATIONS = ("plcc", "srcc", "krcc")
ALL_FIGURES = (*CORRELATIONS, "rmse", "mae")


@dataclass(frozen=True)
class TableRow:
    """One system in one table."""

    name: str  # for `lariqa reproduce TABLE NAME`
    label: str
    paper: dict[str, float]
    recipes: tuple[str, ...] = ()  # in the order of training; the last one's checkpoint is evaluated
    tested_on: str = ""  # a data set
    split: str = "test"
    folds: int = 1  # 10: cross-validation, the mean of the held-out figures
    color_space: str = "rgb"
    notes: dict[str, str] = field(default_factory=dict)  # more columns, quoted or counted


def _row(name, label, figures, recipes=(), tested_on="", **more) -> TableRow:
    names = ALL_FIGURES if len(figures) == 5 else CORRELATIONS
    return TableRow(name, label, dict(zip(names, figures, strict=True)), tuple(recipes), tested_on, **more)


def _cross(table, kind, key, label, figures, **more) -> TableRow:
    """Trained on one data set, tested on all of another."""
    tested_on = {"synthetic": "tid2013", "authentic": "bid"}[kind]
    return _row(f"{kind}_{key}", f"{kind}: {label}", figures, [f"{table}_{kind}_{key}"], tested_on, split="all", **more)


def _color_rows() -> list[TableRow]:
    published = {
        ("synthetic", "mobilenetv3", "acc"): ((0.72, 0.68, 0.50), (0.41, 0.34, 0.25), (0.47, 0.39, 0.28)),
        ("synthetic", "mobilenetv3", "acc_rob"): ((0.73, 0.70, 0.53), (0.49, 0.47, 0.35), (0.55, 0.52, 0.37)),
        ("synthetic", "mobileclip_s2", "acc"): ((0.69, 0.65, 0.46), (0.44, 0.38, 0.29), (0.46, 0.40, 0.29)),
        ("synthetic", "mobileclip_s2", "acc_rob"): ((0.69, 0.66, 0.48), (0.58, 0.54, 0.39), (0.59, 0.55, 0.40)),
        ("authentic", "mobilenetv3", "acc"): ((0.79, 0.78, 0.60), (0.59, 0.58, 0.42), (0.59, 0.57, 0.42)),
        ("authentic", "mobilenetv3", "acc_rob"): ((0.82, 0.79, 0.61), (0.69, 0.68, 0.51), (0.76, 0.74, 0.56)),
        ("authentic", "mobileclip_s2", "acc"): ((0.78, 0.74, 0.56), (0.65, 0.62, 0.46), (0.67, 0.62, 0.46)),
        ("authentic", "mobileclip_s2", "acc_rob"): ((0.78, 0.77, 0.58), (0.74, 0.72, 0.53), (0.74, 0.73, 0.54)),
    }
    loss = {"acc": "L_acc", "acc_rob": "L_acc + L_rob"}
    return [
        TableRow(
            f"{kind}_{backbone}_{losses}_{space}",
            f"{kind}: {backbone}, {loss[losses]}, {space.upper()}",
            dict(zip(CORRELATIONS, figures, strict=True)),
            (f"table5_{kind}_{backbone}_{losses}",),
            {"synthetic": "tid2013", "authentic": "bid"}[kind],
            "all",
            color_space=space,
        )
        for (kind, backbone, losses), spaces in published.items()
        for space, figures in zip(("rgb", "yuv", "lab"), spaces, strict=True)
    ]


_BRANCHES = ("branch_authentic", "branch_synthetic")
_KAN = (*_BRANCHES, "uhd_heads_512", "uhd_finetune")
_MLP = (*_BRANCHES, "uhd_heads_mlp", "uhd_finetune_mlp")


def _against(split: str, quoted: dict, mlp: tuple, kan: tuple) -> list[TableRow]:
    rows = [
        _row(name.lower().replace("+", "_plus"), name, figures, notes={"GMACs": macs})
        for name, (figures, macs) in quoted.items()
    ]
    rows.append(_row("mlp", "LAR-IQA (MLP head)", mlp, _MLP, "uhd_iqa", split=split, notes={"GMACs": "<= 37"}))
    return [*rows, _row("kan", "LAR-IQA (KAN head)", kan, _KAN, "uhd_iqa", split=split, notes={"GMACs": "<= 37"})]


TABLES: dict[str, tuple[str, list[TableRow]]] = {
    "table2": (
        "within one data set, 10-fold, MobileNetV2",
        [
            _row(f"{name}_{head}", f"{title}: {head.upper()}", figures, [f"table2_{name}_{head}"], name, folds=10)
            for name, title, head, figures in (
                ("kadid10k", "KADID-10k", "mlp", (0.961, 0.946, 0.825)),
                ("kadid10k", "KADID-10k", "kan", (0.965, 0.941, 0.857)),
                ("pipal", "PIPAL", "mlp", (0.868, 0.845, 0.680)),
                ("pipal", "PIPAL", "kan", (0.887, 0.860, 0.692)),
            )
        ],
    ),
    "table3": (
        "heads across data sets, MobileNetV2: KADID-10k / TID2013 and KonIQ-10k / BID",
        [
            _cross("table3", kind, key, label, figures, notes={"MFLOPs paper": paper, "counted": counted})
            for kind, key, label, figures, paper, counted in (
                ("synthetic", "mlp", "MLP", (0.64, 0.59, 0.45), "0.26", "0.26"),
                ("synthetic", "mlp_matched", "MLP of similar FLOPs", (0.67, 0.63, 0.48), "2.60", "2.54"),
                ("synthetic", "kan", "KAN", (0.71, 0.66, 0.50), "2.31", "2.31"),
                ("authentic", "mlp", "MLP", (0.716, 0.673, 0.495), "0.26", "0.26"),
                ("authentic", "mlp_matched", "MLP of similar FLOPs", (0.726, 0.673, 0.501), "2.60", "2.54"),
                ("authentic", "kan", "KAN", (0.736, 0.680, 0.505), "2.31", "2.31"),
            )
        ],
    ),
    "table4": (
        "encoders across data sets, KAN head: KADID-10k / TID2013 and KonIQ-10k / BID",
        [
            _cross("table4", kind, key, label, figures, notes={"M parameters paper": parameters})
            for kind, key, label, figures, parameters in (
                ("synthetic", "mobilevit_s", "MobileViT-S", (0.61, 0.59, 0.42), "5.6"),
                ("synthetic", "mobileclip_s2", "MobileCLIP-S2", (0.69, 0.65, 0.46), "35.5"),
                ("synthetic", "mobilenetv2", "MobileNetV2", (0.71, 0.66, 0.50), "3.5"),
                ("synthetic", "mobilenetv3", "MobileNetV3", (0.72, 0.68, 0.50), "7.1"),
                ("authentic", "mobilevit_s", "MobileViT-S", (0.71, 0.65, 0.47), "5.6"),
                ("authentic", "mobileclip_s2", "MobileCLIP-S2", (0.78, 0.75, 0.57), "35.5"),
                ("authentic", "mobilenetv2", "MobileNetV2", (0.74, 0.68, 0.51), "3.5"),
                ("authentic", "mobilenetv3", "MobileNetV3", (0.79, 0.78, 0.60), "7.1"),
            )
        ],
    ),
    "table5": ("losses and colour spaces: KADID-10k / TID2013 and KonIQ-10k / BID", _color_rows()),
    "table6": (
        "training settings on UHD-IQA, validation set",
        [
            _row(name, label, figures, recipes, "uhd_iqa", split="validation")
            for name, label, figures, recipes in (
                (
                    "synthetic_128",
                    "synthetic, frozen, 128",
                    (0.492, 0.463, 0.333),
                    ("branch_synthetic", "table6_synthetic_128"),
                ),
                (
                    "authentic_128",
                    "authentic, frozen, 128",
                    (0.512, 0.496, 0.348),
                    ("branch_authentic", "table6_authentic_128"),
                ),
                ("both_128", "both, frozen, 128", (0.726, 0.722, 0.532), (*_BRANCHES, "uhd_heads_128")),
                ("both_512", "both, frozen, 512", (0.744, 0.734, 0.545), (*_BRANCHES, "uhd_heads_512")),
                ("finetuned_512", "both, fine-tuned, 512", (0.809, 0.803, 0.611), _KAN),
            )
        ],
    ),
    "table7": (
        "UHD-IQA, validation set",
        _against(
            "validation",
            {
                "HyperIQA": ((0.182, 0.524, 0.359, 0.087, 0.055), "211"),
                "Effnet-2C-MLSP": ((0.627, 0.615, 0.445, 0.060, 0.050), "345"),
                "CONTRIQUE": ((0.712, 0.716, 0.521, 0.049, 0.038), "855"),
                "ARNIQA": ((0.717, 0.718, 0.523, 0.050, 0.039), "855"),
                "CLIP-IQA+": ((0.732, 0.743, 0.546, 0.108, 0.087), "895"),
                "QualiCLIP": ((0.752, 0.757, 0.557, 0.079, 0.064), "901"),
            },
            (0.797, 0.791, 0.601, 0.042, 0.033),
            (0.809, 0.803, 0.611, 0.040, 0.031),
        ),
    ),
    "table8": (
        "UHD-IQA, test set",
        _against(
            "test",
            {
                "HyperIQA": ((0.103, 0.553, 0.389, 0.118, 0.070), "211"),
                "Effnet-2C-MLSP": ((0.641, 0.675, 0.491, 0.074, 0.059), "345"),
                "CONTRIQUE": ((0.678, 0.732, 0.532, 0.073, 0.052), "855"),
                "ARNIQA": ((0.694, 0.739, 0.544, 0.074, 0.052), "855"),
                "CLIP-IQA+": ((0.709, 0.747, 0.551, 0.111, 0.089), "895"),
                "QualiCLIP": ((0.725, 0.770, 0.570, 0.083, 0.066), "901"),
            },
            (0.774, 0.809, 0.616, 0.058, 0.042),
            (0.787, 0.836, 0.642, 0.061, 0.041),
        ),
    ),
}


def table_named(name: str, row: str | None = None) -> tuple[str, list[TableRow]]:
    """A table's title and rows, or one of them.

    Raises:
        Refusal: no such table or row; the nearest is named.
    """
    if name not in TABLES:
        raise Refusal(f"no table {name!r}{nearest(name, TABLES)}; there are {', '.join(TABLES)}")
    title, rows = TABLES[name]
    if row is None:
        return title, rows
    names = [one.name for one in rows]
    if row not in names:
        raise Refusal(f"{name} has no row {row!r}{nearest(row, names)}; it has {', '.join(names)}")
    return title, [one for one in rows if one.name == row]
