"""``lariqa verify``: an export is proved again, or it is said why it cannot be."""

import shutil

from tests.support.commands import ONNX, refused


def test_verify_proves_again_and_says_when_it_cannot(run, exported, another_checkpoint, photo_folder, tmp_path):
    good = run("verify", exported, "--photos", photo_folder)
    assert good.status == 0 and ONNX in good.stdout and str(photo_folder / "dark.png") in good.stdout
    assert run("verify", exported / ONNX).status == 0
    missed = run("verify", exported, "--limit", "0")
    assert missed.status == 1 and any("Past the limit" in line and ONNX in line for line in missed.said)
    refused(run("verify", exported, "--checkpoint", another_checkpoint), another_checkpoint, "sha256 differs")
    alike = tmp_path / "alike"
    alike.mkdir()
    for name in ("a.png", "b.png"):
        shutil.copy(photo_folder / "original.png", alike / name)
    refused(run("verify", exported, "--photos", alike), "too alike", "different quality")
    refused(run("verify", exported, "--photos", alike, "--limit", "0"), "too alike")
    refused(run("verify", exported, "--photos", photo_folder / "dark.png"), "too alike")


def test_verify_refuses_what_is_no_export(run, exported, photo_folder, tiny_checkpoint, tmp_path):
    refused(run("verify", tmp_path / "absent"), "absent", "lariqa export")
    refused(run("verify", photo_folder), photo_folder, "lariqa.json")
    refused(run("verify", tiny_checkpoint), "lariqa.json")
    refused(run("verify", exported, "--checkpoint", exported / ONNX), "no checkpoint")
    refused(run("verify", exported, "--limit", "-1"), "--limit")
    refused(run("verify", exported, "--photos", tmp_path / "absent.jpg"), "absent.jpg")
    (exported / "reference.safetensors").unlink()
    refused(run("verify", exported), "reference.safetensors", "no checkpoint")
    assert run("verify", exported, "--checkpoint", tiny_checkpoint).status == 0


def test_the_tables_keep_long_and_odd_names_whole(run, exported, photo_folder, tmp_path):
    folder = shutil.copytree(exported, tmp_path / f"[red] {'long ' * 30}export")
    photos = shutil.copytree(photo_folder, tmp_path / f"[/bold] {'very ' * 30}long".replace("/", "|"))
    shown = run("verify", folder, "--photos", photos)
    assert shown.status == 0 and shown.stdout.splitlines()[0] == str(folder)
    assert all(str(photo) in shown.stdout for photo in photos.iterdir())
