from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from qtdigits.errors import InputError, ModelFileError, StoreError
from qtdigits.paths import shipped_models_dir
from qtdigits.store import library as library_module
from qtdigits.store.library import DEFAULT, DRAWN_SCORE, MOST_CHAMPIONS, ModelLibrary
from qtdigits.store.model_files import load_header, save_model
from tests.store.values import a_model


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """Two shipped models; the CNN is better on drawings, the MLP on MNIST."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    for name, drawn, mnist in (("cnn", 0.92, 0.97), ("mlp", 0.87, 0.99)):
        scores = {"MNIST test": {"accuracy": mnist}, "pendigits": {"accuracy": drawn}}
        save_model(a_model(name=name, scores=scores), folder / f"{name}.h5")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def library(folder: Path, shipped: Path) -> ModelLibrary:
    return ModelLibrary(folder, shipped=shipped)


def _own(library: ModelLibrary, name: str) -> Path:
    path = library.new_path(name)
    save_model(a_model(name=name), path)
    return path


def test_that_the_first_champion_is_the_shipped_model_that_reads_drawings_best(library: ModelLibrary) -> None:
    assert library.champion_path().name == "cnn.h5"


def test_that_no_shipped_model_reads_drawings_better_than_the_one_to_begin_with() -> None:
    folder = shipped_models_dir()
    found = {path.name: load_header(path).scores[DRAWN_SCORE]["accuracy"] for path in folder.glob("*.h5")}
    assert found[DEFAULT] == max(found.values())
    assert ModelLibrary(folder, shipped=folder).champion_path() == folder / DEFAULT


def test_that_a_damaged_model_to_begin_with_is_got_past(library: ModelLibrary, shipped: Path) -> None:
    (shipped / DEFAULT).write_bytes(b"no model")
    model, notice = library.load_champion()
    assert model.path == shipped / "cnn.h5"
    assert DEFAULT in notice


def test_that_looking_writes_nothing(library: ModelLibrary, folder: Path) -> None:
    library.entries()
    library.champion_path()
    library.load_champion()
    assert not folder.exists()


def test_that_a_model_without_a_score_on_drawings_comes_last(library: ModelLibrary, shipped: Path) -> None:
    save_model(a_model(scores={"MNIST test": {"accuracy": 0.999}}), shipped / "a.h5")
    save_model(a_model(scores={"pendigits": {"accuracy": None}}), shipped / "b.h5")
    assert library.champion_path().name == "cnn.h5"
    for name in ("cnn", "mlp"):
        (shipped / f"{name}.h5").unlink()
    assert library.champion_path().name == "a.h5"


def test_that_a_promoted_model_stays_champion(library: ModelLibrary, folder: Path, shipped: Path) -> None:
    mine = _own(library, "mine")
    library.promote(mine)
    assert ModelLibrary(folder, shipped=shipped).champion_path() == mine


def test_that_rolling_back_goes_through_the_champions_in_turn(library: ModelLibrary) -> None:
    first, second = _own(library, "first"), _own(library, "second")
    library.promote(first)
    library.promote(second)
    library.promote(second)
    assert library.roll_back() == first
    assert library.champion_path() == first
    assert library.roll_back().name == "cnn.h5"
    with pytest.raises(StoreError, match="in use before this one"):
        library.roll_back()
    assert library.champion_path().name == "cnn.h5"


def test_that_rolling_back_passes_over_what_cannot_be_used(library: ModelLibrary) -> None:
    paths = [_own(library, name) for name in ("good", "deleted", "damaged", "present")]
    for path in paths:
        library.promote(path)
    paths[1].unlink()
    paths[2].write_bytes(b"junk")
    assert library.roll_back() == paths[0]


def test_that_a_deleted_champion_is_followed_by_the_one_before(library: ModelLibrary) -> None:
    first, second = _own(library, "first"), _own(library, "second")
    library.promote(first)
    library.promote(second)
    second.unlink()
    assert library.champion_path() == first
    first.unlink()
    assert library.champion_path().name == "cnn.h5"


def test_that_a_damaged_champion_is_replaced_and_the_person_told(library: ModelLibrary) -> None:
    first, second = _own(library, "first"), _own(library, "second")
    library.promote(first)
    library.promote(second)
    assert library.load_champion()[1] == ""
    second.write_bytes(second.read_bytes()[:1000])
    model, notice = library.load_champion()
    assert model.path == first
    assert "second.h5 is damaged" in notice
    assert "“first” is used instead." in notice


def test_that_what_is_used_instead_of_a_lost_champion_is_said_once(library: ModelLibrary) -> None:
    first, second = _own(library, "first"), _own(library, "second")
    library.promote(first)
    library.promote(second)
    second.unlink()
    assert "second.h5" in library.load_champion()[1]
    model, notice = library.load_champion()
    assert (model.path, notice) == (first, "")
    assert library.roll_back().name == "cnn.h5"


def test_that_where_nothing_can_be_written_a_lost_champion_is_replaced_all_the_same(
    library: ModelLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = _own(library, "mine")
    library.promote(mine)
    mine.unlink()

    def refuse(*_arguments: object) -> None:
        raise StoreError("The disk is full.", "Make some room.")

    monkeypatch.setattr(library_module, "write_file", refuse)
    for _ in range(2):
        model, notice = library.load_champion()
        assert model.name == "cnn"
        assert "“cnn” is used instead." in notice


def test_that_rolling_back_starts_from_the_model_that_reads(library: ModelLibrary) -> None:
    """One window has chosen `mine`, the other one `theirs` after it, or has gone back from `mine` already."""
    mine, theirs = _own(library, "mine"), _own(library, "theirs")
    library.promote(mine)
    library.promote(theirs)
    assert library.roll_back(in_use=mine).name == "cnn.h5"
    assert library.champion_path().name == "cnn.h5"
    assert library.roll_back(in_use=theirs).name == "cnn.h5"
    with pytest.raises(StoreError, match="in use before this one"):
        library.roll_back(in_use=library.champion_path())


PROMOTE_OVER_AND_OVER = """
import sys
from pathlib import Path
from qtdigits.store.library import ModelLibrary

library = ModelLibrary(Path(sys.argv[1]), shipped=Path(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[3])):
    for name in sys.argv[4:]:
        library.promote(library.find(name))
"""


def test_that_windows_that_promote_at_once_lose_no_champion_of_the_history(
    library: ModelLibrary, folder: Path, shipped: Path
) -> None:
    n_rounds = (MOST_CHAMPIONS - 2) // 4
    pairs = ("a", "b"), ("c", "d")
    for name in (*pairs[0], *pairs[1]):
        _own(library, name)
    windows = [
        subprocess.Popen(
            [sys.executable, "-c", PROMOTE_OVER_AND_OVER, folder, shipped, str(n_rounds), *pair],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        for pair in pairs
    ]
    for window in windows:
        assert window.stdout is not None
        assert window.stdout.readline() == b"ready\n"
    for window in windows:
        assert window.stdin is not None
        window.stdin.write(b"\n")
    for window in windows:
        window.communicate()
    assert [window.returncode for window in windows] == [0, 0]
    # Each promotion is of another model than the one before it, and the first follows the shipped one.
    before = json.loads((folder / "champion.json").read_text("utf-8"))["before"]
    assert len(before) == 4 * n_rounds


def test_that_an_unusable_model_is_not_promoted(library: ModelLibrary, folder: Path) -> None:
    junk = library.new_path("junk")
    junk.write_bytes(b"junk")
    with pytest.raises(ModelFileError, match="is not a model file"):
        library.promote(junk)
    assert not (folder / "champion.json").exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"champion": 7, "before": []}', '{"champion": "x"}'])
def test_that_a_damaged_choice_falls_back_and_is_kept_aside(
    library: ModelLibrary, folder: Path, content: str
) -> None:
    mine = _own(library, "mine")
    (folder / "champion.json").write_text(content)
    model, notice = library.load_champion()
    assert model.name == "cnn"
    assert "champion.json is damaged" in notice
    library.promote(mine)
    model, notice = library.load_champion()
    assert (model.path, notice) == (mine, "")
    assert (folder / "champion.json.damaged").read_text() == content


def test_that_the_data_folder_and_the_program_may_move(
    library: ModelLibrary, folder: Path, shipped: Path, tmp_path: Path
) -> None:
    library.promote(_own(library, "mine"))
    library.promote(shipped / "mlp.h5")
    moved = ModelLibrary(folder.rename(tmp_path / "moved"), shipped=shipped.rename(tmp_path / "elsewhere"))
    assert moved.champion_path() == tmp_path / "elsewhere" / "mlp.h5"
    assert moved.roll_back() == tmp_path / "moved" / "models" / "mine.h5"


def test_that_a_model_from_anywhere_can_be_champion(library: ModelLibrary, tmp_path: Path) -> None:
    path = tmp_path / "usb stick" / "theirs.h5"
    path.parent.mkdir()
    save_model(a_model(name="theirs"), path)
    library.promote(path)
    assert library.champion_path() == path
    assert [entry.name for entry in library.entries() if entry.is_champion] == ["theirs"]


def test_that_without_any_model_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    library = ModelLibrary(tmp_path / "data", shipped=tmp_path / "none")
    for ask in (library.champion_path, library.load_champion):
        with pytest.raises(ModelFileError, match=r"no usable model.*qtdigits train"):
            ask()
    mine = _own(library, "mine")
    assert library.champion_path() == mine


def test_that_the_list_shows_every_model_and_what_is_wrong_with_it(library: ModelLibrary) -> None:
    mine = _own(library, "mine")
    library.new_path("junk").write_bytes(b"junk")
    library.promote(mine)
    entries = {entry.name: entry for entry in library.entries()}
    assert list(entries) == ["cnn", "mlp", "junk", "mine"]
    assert [name for name, entry in entries.items() if entry.is_shipped] == ["cnn", "mlp"]
    assert [name for name, entry in entries.items() if entry.is_champion] == ["mine"]
    assert entries["cnn"].title == "MLP 3"
    assert entries["cnn"].scores["pendigits"]["accuracy"] == 0.92
    assert entries["cnn"].labels == tuple("0123456789")
    assert "is not a model file" in entries["junk"].error
    assert entries["mine"].error == ""


def test_that_the_time_of_a_model_is_what_its_provenance_says(library: ModelLibrary) -> None:
    path = library.new_path("old")
    save_model(a_model(name="old", provenance={"created_at": "2001-02-03T04:05:06+00:00"}), path)
    entry = next(entry for entry in library.entries() if entry.name == "old")
    assert entry.created_at.isoformat() == "2001-02-03T04:05:06+00:00"


def test_that_models_are_found_by_name_and_by_path(library: ModelLibrary, shipped: Path) -> None:
    mine = _own(library, "mine")
    assert library.find("mine") == library.find("mine.h5") == library.find(str(mine)) == mine
    assert library.find("cnn") == library.find("champion") == shipped / "cnn.h5"
    with pytest.raises(InputError, match=r"no model 'yours'.*cnn, mlp, mine"):
        library.find("yours")


def test_that_new_names_are_free_and_fit_for_files(library: ModelLibrary, folder: Path) -> None:
    assert library.new_path("mine") == folder / "models" / "mine.h5"
    _own(library, "mine")
    assert library.new_path("Mine").name == "Mine-2.h5"
    assert library.new_path("cnn").name == "cnn-2.h5"
    assert library.new_path("../a b/c").name == "a-b-c.h5"
    assert library.new_path("/").name == "model.h5"


def test_that_a_long_name_makes_a_file_name_that_file_systems_take(library: ModelLibrary) -> None:
    for stem in ("a" * 400, "ü" * 400):
        paths = [_own(library, stem) for _ in range(2)]
        assert paths[0] != paths[1]
        assert all(path.is_file() for path in paths)


def test_that_the_choice_is_readable(library: ModelLibrary, folder: Path, shipped: Path) -> None:
    library.promote(_own(library, "mine"))
    stored = json.loads((folder / "champion.json").read_text())
    assert stored == {"format": 1, "champion": "models/mine.h5", "before": ["shipped:cnn.h5"]}


def test_that_each_set_of_classes_has_its_own_champion_and_a_new_one_begins_with_that_of_all(
    library: ModelLibrary, folder: Path, shipped: Path
) -> None:
    digits, letters = (_own(library, name) for name in ("digits", "letters"))
    library.promote(digits)
    library.use_class_set("letters")
    assert library.champion_path() == digits
    library.promote(letters)
    assert library.champion_path() == letters
    elsewhere = ModelLibrary(folder, shipped=shipped)
    assert (elsewhere.class_set, elsewhere.champion_path()) == ("letters", letters)
    library.use_class_set("")
    assert library.champion_path() == digits
    assert elsewhere.champion_path() == letters  # another window goes on with its own set
    assert elsewhere.roll_back() == digits
    assert library.champion_path() == digits


def test_that_a_file_of_one_champion_serves_every_set(library: ModelLibrary, folder: Path) -> None:
    own = _own(library, "own")
    (folder / "champion.json").write_text(
        json.dumps({"format": 1, "champion": "models/own.h5", "before": []})
    )
    assert library.class_set == ""
    library.use_class_set("letters")
    assert library.champion_path() == own


def test_that_a_set_may_be_chosen_before_any_champion(library: ModelLibrary) -> None:
    library.use_class_set("letters")
    assert library.champion_path().name == "cnn.h5"
    assert library.load_champion()[1] == ""


def test_that_a_model_chosen_for_a_set_alone_leaves_all_classes_with_the_default(
    library: ModelLibrary,
) -> None:
    library.use_class_set("letters")
    library.promote(_own(library, "letters"))
    library.use_class_set("")
    _, notice = library.load_champion()
    assert (library.champion_path().name, notice) == ("cnn.h5", "")
