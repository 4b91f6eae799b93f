"""kill -9 of the driver and of workers at random moments: nothing lost, nothing twice, the same table at the end."""

from tests.support.killed_runs import killed_runs


def test_killed_runs_end_with_the_table_of_an_undisturbed_one(model, album, tmp_path):
    killed = killed_runs(model, list(album), tmp_path, kills=5)
    assert killed["driver"] + killed["worker"] == 5 and killed["driver"] >= 1 and killed["worker"] >= 1
