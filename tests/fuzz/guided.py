"""Inputs guided by the coverage of the readers' Python, where atheris is installed (`pip install atheris`; Linux):

python -m tests.fuzz.guided                          every reader for a minute
python -m tests.fuzz.guided UNIPEN --seconds 120     one of them

It begins with the valid specimens, and keeps the first input of each kind of finding as `make fuzz` does.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import atheris

with atheris.instrument_imports(include=["qtdigits"]):
    from fuzz.readers import targets

from fuzz.__main__ import as_file_name
from fuzz.running import attempt


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("reader", nargs="*", help="default: all, one after the other")
    parser.add_argument("--seconds", type=int, default=60, help="for each (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"))
    args = parser.parse_args()
    known = targets()
    if len(args.reader) != 1:  # a process of its own for each: the fuzzer ends it
        for reader in args.reader or known:
            sys.stdout.write(f"== {reader}\n")
            sys.stdout.flush()
            options = ["--seconds", str(args.seconds), "--out", str(args.out)]
            subprocess.run([sys.executable, "-m", "tests.fuzz.guided", reader, *options], check=False)
        return
    (reader,) = args.reader
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", RuntimeWarning)  # of numpy: what was read is out of range
    target, kinds = known[reader], set[str]()
    scratch = Path(tempfile.mkdtemp(prefix="qtdigits-fuzz-"))
    (scratch / "seeds").mkdir()
    for number, specimen in enumerate(target.specimens):
        (scratch / "seeds" / str(number)).write_bytes(specimen)

    def one(content: bytes) -> None:
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            found = attempt(target, content, Path(folder))
        if found and found.kind not in kinds:
            kinds.add(found.kind)
            sys.stdout.write(f"{reader}: {found.kind}\n")
            args.out.mkdir(parents=True, exist_ok=True)
            name = f"{as_file_name(reader)}--{as_file_name(found.kind)}"
            (args.out / name).write_bytes(content)
            (args.out / f"{name}.txt").write_text(found.text, "utf-8", "replace")

    limits = ["-timeout=20", "-rss_limit_mb=2000", "-max_len=40000", f"-max_total_time={args.seconds}"]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={scratch}/", str(scratch / "seeds")], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
