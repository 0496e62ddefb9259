"""Progress without a terminal: a line at every tenth of the way, in a log that may be read days later."""

from readerstudy.commands import progress_bar


def test_every_tenth_is_logged_once_in_each_stretch(capsys):
    with progress_bar("Cross-validating") as advance:
        for done in range(1, 21):
            advance(done, 20, "reading images")
        for done in (1, 30, 55, 100):
            advance(done, 100, "training")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Cross-validating ..."
    assert lines[1:11] == [f"Cross-validating: {10 * tenth} % reading images" for tenth in range(1, 11)]
    assert lines[11:] == [f"Cross-validating: {percent} % training" for percent in (30, 50, 100)]
