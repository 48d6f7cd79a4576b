"""Change valid files at random, and see that every reader refuses or accepts them in good order: `make fuzz`.

python -m tests.fuzz                         20,000 inputs
python -m tests.fuzz 1000000 --seed 7        a million, by another seed
python -m tests.fuzz 5000 --only ink model   of some readers
python -m tests.fuzz --show store 4711       the input of a number, read in this process
python -m tests.fuzz --again FOLDER          the inputs that were kept in a folder
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.minimising import minimised
from fuzz.readers import Target, targets
from fuzz.running import Finding, attempt, input_of, try_inputs


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "inputs", nargs="?", type=int, default=20_000, help="how many in all (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", metavar="READER", default=[], help="only these readers")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after about so long")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many readers at a time")
    parser.add_argument(
        "--out", type=Path, default=Path("build/fuzz"), help="folder for the inputs that found something"
    )
    parser.add_argument(
        "--show", nargs=2, metavar=("READER", "NUMBER"), help="try one input here, and show it"
    )
    parser.add_argument(
        "--again", type=Path, metavar="FOLDER", help="try the inputs in a folder, of earlier findings"
    )
    args = parser.parse_args()
    found = targets()
    if args.show:
        return show(found[args.show[0]], args.show[0], args.seed, int(args.show[1]), args.out)
    if args.again:
        return again(found, args.again)
    chosen = {name: target for name, target in found.items() if not args.only or name in args.only}
    return run(chosen, args.inputs, args.seed, args.out, args.seconds, args.jobs)


def run(chosen: dict[str, Target], inputs: int, seed: int, out: Path, seconds: float, jobs: int) -> int:
    """Try the inputs and print the table, each kind of finding below its reader; return 1 where anything was found."""
    shares = sum(target.share for target in chosen.values())
    n_tried = n_found = n_kinds = 0
    start = time.monotonic()
    print(
        f"seed {seed}\n{'reader':<20}{'inputs':>10}{'a second':>10}{'findings':>10}{'kinds':>7}", flush=True
    )
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
        results = []
        for name, target in chosen.items():
            part = target.share / shares
            results.append(
                pool.submit(_run_one, name, seed, max(1, round(inputs * part)), seconds * part * jobs)
            )
        for name, result in zip(chosen, results, strict=True):
            tried, took_s, kinds = result.result()
            found = sum(map(len, kinds.values()))
            print(f"{name:<20}{tried:>10,}{tried / took_s:>10,.0f}{found:>10,}{len(kinds):>7}", flush=True)
            for kind, findings in sorted(kinds.items()):
                path = keep(chosen[name], name, kind, findings, seed, out)
                print(
                    f"    {kind}: {len(findings)} times, first number {findings[0].number}; {path}",
                    flush=True,
                )
            n_tried, n_found, n_kinds = n_tried + tried, n_found + found, n_kinds + len(kinds)
    took_s = time.monotonic() - start
    print(
        f"{'all':<20}{n_tried:>10,}{n_tried / took_s:>10,.0f}{n_found:>10,}{n_kinds:>7}   {took_s / 60:.1f} min"
    )
    return 1 if n_kinds else 0


def _run_one(
    name: str, seed: int, inputs: int, seconds: float
) -> tuple[int, float, dict[str, list[Finding]]]:
    """In a process of its own: try one reader; return how many inputs were tried, how long it took, and the findings by kind."""
    target, start = targets()[name], time.monotonic()
    make = partial(input_of, target, name, seed)
    kinds, tried = dict[str, list[Finding]](), 0
    for result in try_inputs(target, make, 0, inputs, until=start + seconds):
        if isinstance(result, int):
            tried = result
        elif not result.is_of_time or _is_slow_again(target, make, result.number):
            kinds.setdefault(result.kind, []).append(result)
    return tried, time.monotonic() - start, kinds


def _is_slow_again(target: Target, make: Callable[[int], bytes], number: int) -> bool:
    """What took too long once may have met a busy machine."""
    return any(isinstance(result, Finding) for result in try_inputs(target, make, number, number + 1))


def keep(target: Target, name: str, kind: str, found: list[Finding], seed: int, out: Path) -> Path:
    """Write the smallest input of a kind, made smaller, and what was said of it."""
    contents = {finding.number: input_of(target, name, seed, finding.number) for finding in found[:50]}
    content = minimised(target, min(contents.values(), key=len), kind)
    out.mkdir(parents=True, exist_ok=True)
    what, _, where = kind.partition(" in ")
    path = out / f"{as_file_name(name)}--{as_file_name(where.rpartition('/')[2])}--{as_file_name(what)}"
    path.write_bytes(content)
    path.with_name(path.name + ".txt").write_text(found[0].text, "utf-8", "replace")
    return path


def as_file_name(text: str) -> str:
    return "".join(c if c.isalnum() or c in "_." else "-" for c in text)


def again(found: dict[str, Target], folder: Path) -> int:
    """Try the files of a folder that `keep` has written; return 1 where one of them finds anything still."""
    by_file_name = {as_file_name(name): target for name, target in found.items()}
    code = 0
    for path in sorted(path for path in folder.iterdir() if path.suffix != ".txt" and path.is_file()):
        target, content = by_file_name[path.name.partition("--")[0]], path.read_bytes()
        for result in try_inputs(target, lambda _number, content=content: content, 0, 1):
            if isinstance(result, Finding):
                code = 1
                print(f"{path.name}: {result.kind}\n{result.text}", flush=True)
    return code


def show(target: Target, name: str, seed: int, number: int, out: Path) -> int:
    content = input_of(target, name, seed, number)
    folder = out / "shown"
    finding = attempt(target, content, folder)
    print(
        f"{content[:2000]!r}\n{len(content):,} bytes in {folder / target.name}\n{finding.text if finding else 'Nothing found.'}"
    )
    return 1 if finding else 0


if __name__ == "__main__":
    sys.exit(main())
