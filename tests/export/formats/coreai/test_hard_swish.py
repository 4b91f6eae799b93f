"""Every product that feeds a hard swish is 4-D, seen in the written file; Core ML's are in test_exported_files.py.

A matrix product of two dimensions that feeds one is .199 off on the Neural Engine; as 1 x 1 x m x n it is not
(coreai-torch issue 51; coremltools issue 2625 is the same network in Core ML).
"""

import torch

from export.formats.coreai.convert import save
from tests.support.hard_swish import ranks_in_coreai


def test_core_ai(asset):
    ranks = ranks_in_coreai(asset)
    assert len(ranks) > 20 and set(ranks) == {4}


def test_a_product_of_two_dimensions_is_seen(tmp_path):
    import coreai.authoring  # noqa: F401 - first, or coreai.runtime is a circular import
    import coreai_torch

    plain = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Hardswish()).eval()
    program = torch.export.export(plain, (torch.rand(1, 4),)).run_decompositions(coreai_torch.get_decomp_table())
    converter = coreai_torch.TorchConverter(mode=coreai_torch.TorchConverter.Mode.RELEASE)
    path = tmp_path / "plain.aimodel"
    save(converter.add_exported_program(program).to_coreai(), path, "{}")
    assert ranks_in_coreai(path) == [2]
