"""The page of a report: one HTML file without scripts, network or other files, for light and dark screens and A4.

Whatever comes from data (names, labels, recipes) is escaped: only `Html` is taken as it is.
"""

from __future__ import annotations

import base64
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from platform import python_version
from typing import Any

import numpy as np

from qtdigits.core.drawing.samples import Raster
from qtdigits.core.formatting import printable
from qtdigits.core.recipe import FIELD_BY_NAME, Recipe
from qtdigits.core.score.metrics import Score
from qtdigits.store.data.image_files import png_of
from qtdigits.training.report.svg import Series
from qtdigits.version import __version__

MOST_BYTES_OF_NAME = 100
MOST_IN_MATRIX = 40
"""A matrix of more classes cannot be read."""

STYLE = """
:root{--bg:#fff;--box:#f3f4f6;--line:#dfe2e8;--text:#1b1f27;--muted:#5d6675;--c1:#0072b2;--c2:#d55e00;--c3:#008060;
--c4:#b0508a;--c5:#8a6d00;--c6:#7a5cb8;--cell:31,111,235;--miss:213,94,0;color-scheme:light}
@media screen and (prefers-color-scheme:dark){:root{--bg:#16181d;--box:#1e2128;--line:#30343d;--text:#e8eaee;--muted:#9aa2b1;
--c1:#56b4e9;--c2:#e69f00;--c3:#2fbf95;--c4:#d98ab8;--c5:#f0e442;--c6:#a896e8;--cell:110,168,254;--miss:230,159,0;
color-scheme:dark}.ink img{filter:invert(1)}}*{box-sizing:border-box}body{margin:0 auto;max-width:860px;padding:32px 20px;
background:var(--bg);color:var(--text);font:15px/1.5 system-ui,sans-serif;overflow-wrap:break-word}
h1{font-size:28px;line-height:1.25;margin:4px 0 8px}h2{font-size:19px;margin:36px 0 4px}
h3{font-size:15px;margin:18px 0 4px}p{margin:6px 0}.muted,figcaption,th{color:var(--muted)}
figcaption{font-size:13px}h1,h2,h3,p.lead,thead{break-after:avoid}figure,tr,.tiles>div,.ink>span{break-inside:avoid}
figure{margin:12px 0}svg{width:100%;display:block}svg text{font-size:12px;fill:var(--muted);unicode-bidi:isolate}
svg text.t{fill:var(--text)}.g{stroke:var(--line);fill:none}.e{stroke:var(--text);fill:none;opacity:.7}
.s0,.s1,.s2,.s3,.s4,.s5,.s6{fill:none;stroke-width:1.8;stroke-linejoin:round}
.s0{stroke:var(--muted);stroke-dasharray:4 4}.i{stroke-dasharray:none;stroke-width:1.2}
.s1{stroke:var(--c1)}.s2{stroke:var(--c2)}
.s3{stroke:var(--c3)}.s4{stroke:var(--c4)}.s5{stroke:var(--c5)}.s6{stroke:var(--c6)}
.f0{fill:var(--muted)}.f1,.b1{fill:var(--c1)}.f2,.b2{fill:var(--c2)}.f3,.b3{fill:var(--c3)}
.f4{fill:var(--c4)}.f5{fill:var(--c5)}.f6{fill:var(--c6)}.b1,.b2,.b3{opacity:.16}
.key{margin-right:14px;white-space:nowrap}.key svg{display:inline;width:14px;height:10px;margin-right:4px}
table{border-collapse:collapse;font-size:13px;margin:10px 0;max-width:100%}
th,td{padding:3px 12px 3px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th{font-weight:500;white-space:nowrap}.n{text-align:right;font-variant-numeric:tabular-nums}
.matrix td,.matrix th{padding:2px 5px;text-align:center;min-width:26px;border:1px solid var(--line)}
.tiles{display:flex;flex-wrap:wrap;gap:10px;margin:18px 0}.tiles>div{background:var(--box);border-radius:8px;
padding:10px 16px;flex:1 1 120px}.tiles b{display:block;font-size:22px}
.tiles span{font-size:13px;color:var(--muted)}.ink{display:flex;flex-wrap:wrap;gap:4px;margin:8px 0}
.ink span{text-align:center;font-size:11px;color:var(--muted);width:52px}
.ink img{display:block;width:44px;height:44px;margin:0 auto}.wide{overflow-x:auto}
.cols figure{display:inline-block;margin-right:32px;vertical-align:top}.cols figcaption{max-width:320px}
.facts{columns:3 190px;list-style:none;padding:0;font-size:13px;margin:8px 0}
.facts li{break-inside:avoid}.facts span{color:var(--muted)}td .ink{margin:0}
footer{margin-top:40px;font-size:12px;color:var(--muted)}@page{size:A4;margin:15mm}
@media print{body{padding:0;max-width:none;font-size:12px}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.wide{overflow:visible}h2{margin-top:22px}svg{max-height:70mm}}
""".replace("\n", "")


@dataclass(frozen=True)
class Report:
    """The page about a `subject`, and what `--json` says of it, the `headline` among it."""

    subject: str
    html: str
    facts: Mapping[str, Any]


def file_name_of(subject: str) -> str:
    """Return the usual name of the file of a report."""
    cleaned = "".join(c if c.isalnum() or c in "-_." else "-" for c in subject)
    return f"report-{cleaned.encode()[:MOST_BYTES_OF_NAME].decode(errors='ignore')}.html"


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def html(value: object) -> str:
    """Return a value as HTML; a text of either direction does not disturb what stands around it."""
    if isinstance(value, Html):
        return value
    text = escape(printable(str(value))).replace(" %", "&nbsp;%")
    return text if text.isascii() else f"<bdi>{text}</bdi>"


def page(title: str, headline: str, lead: Iterable[object], sections: Iterable[str]) -> str:
    """Return the whole file. `headline` is the sentence that anyone understands."""
    made = f"QtDigits {__version__}, {datetime.now().astimezone():%d %B %Y %H:%M}"
    libraries = f"Python {python_version()}, NumPy {np.__version__}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        """<meta http-equiv="Content-Security-Policy" content="default-src 'none';img-src data:;style-src 'unsafe-inline'">"""
        f"<title>{html(title)}</title><style>{STYLE}</style></head><body>\n"
        f'<p class="muted">{html(title)} · {made}</p><h1>{html(headline)}</h1>'
        f"{''.join(f'<p>{html(one)}</p>' for one in lead if one)}\n"
        f"{''.join(sections)}\n<footer>Made by {made} ({libraries}). Every figure is measured, with its 95 % interval "
        "(Wilson's), and counts the drawings that count in the program.</footer></body></html>\n"
    )


def section(title: str, *parts: str, lead: str = "") -> str:
    """Return a chapter; "" where it has nothing to show."""
    shown = "".join(parts)
    if not shown:
        return ""
    return f"\n<section><h2>{html(title)}</h2>{paragraph(lead, kind='lead muted')}{shown}</section>"


def paragraph(text: str, *, kind: str = "") -> Html:
    """Return a paragraph; "" without a text."""
    return Html(f'<p class="{kind}">{html(text)}</p>' if text else "")


def tiles(figures: Mapping[str, object]) -> Html:
    """Return key figures: what each is, and its value."""
    shown = "".join(
        f"<div><b>{html(value)}</b><span>{html(what)}</span></div>" for what, value in figures.items()
    )
    return Html(f'<div class="tiles">{shown}</div>')


def facts(pairs: Iterable[tuple[str, object]]) -> Html:
    """Return names and values in columns."""
    return Html(
        f'<ul class="facts">{"".join(f"<li><span>{html(a)}</span> {html(b)}</li>" for a, b in pairs)}</ul>'
    )


def recipe_facts(recipe: Recipe, *, without: Container[str] = ()) -> Html:
    """Return the settings of a recipe by their titles."""
    values = recipe.to_json()
    chosen = (field for name, field in FIELD_BY_NAME.items() if name not in without and values[name] != "")
    return facts((field.title, field.value_text(values[field.name])) for field in chosen)


def columns(*parts: str) -> Html:
    """Return figures side by side where there is room; "" without any."""
    return Html(f'<div class="cols">{"".join(parts)}</div>' if parts else "")


def figure(svg: str, caption: str = "", *, series: Sequence[Series] = ()) -> Html:
    """Return a chart with its caption, and the names of its lines where there are several."""
    shown = series if len(series) > 1 else ()
    keys = "".join(f'<span class="key">{_key(one)}{html(one.name)}</span>' for one in shown)
    return Html(f"<figure>{svg}<figcaption>{keys}{html(caption)}</figcaption></figure>")


def _key(one: Series) -> str:
    mark = f'class="s{one.colour}" d="M0 5H14"'
    drawn = f'<circle class="f{one.colour}" cx="7" cy="5" r="3.5"/>' if one.is_dotted else f"<path {mark}/>"
    return f'<svg viewBox="0 0 14 10">{drawn}</svg>'


def table(header: Sequence[str], rows: Iterable[Sequence[object]], *, numbers_from: int = 1) -> Html:
    """Return a table; the columns from `numbers_from` on are aligned to the right."""

    def cells(tag: str, values: Sequence[object]) -> str:
        kinds = ("" if i < numbers_from else ' class="n"' for i in range(len(values)))
        return "".join(
            f"<{tag}{kind}>{html(value)}</{tag}>" for kind, value in zip(kinds, values, strict=True)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return Html(
        f'<div class="wide"><table><thead><tr>{cells("th", header)}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def matrix(score: Score, title: str) -> Html:
    """Return a confusion matrix of the classes that occur, or the worst confusions where these are too many."""
    counts = score.confusion
    kept = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    if len(kept) > MOST_IN_MATRIX:
        worst = table(("drawn", "read as", "times"), score.worst_confusions(MOST_IN_MATRIX), numbers_from=2)
        return Html(
            f"<figure><figcaption>{html(title)}: the most frequent confusions</figcaption>{worst}</figure>"
        )
    names = [html(score.classes[i]) for i in kept]
    head = "".join(f"<th>{name}</th>" for name in names)
    rows = []
    for name, i in zip(names, kept, strict=True):
        drawn = max(1, int(counts[i].sum()))
        cells = "".join(_cell(int(counts[i, j]), drawn, is_right=i == j) for j in kept)
        rows.append(f"<tr><th>{name}</th>{cells}</tr>")
    return Html(
        f'<figure><figcaption>{html(title)}</figcaption><div class="wide"><table class="matrix">'
        f"<tr><th></th>{head}</tr>{''.join(rows)}</table></div></figure>"
    )


def _cell(n: int, drawn: int, *, is_right: bool) -> str:
    if not n:
        return "<td></td>"
    shade, share = ("cell", 0.45 * n / drawn) if is_right else ("miss", min(0.8, 0.2 + 2 * n / drawn))
    return f'<td style="background:rgba(var(--{shade}),{share:.2f})">{n:,}</td>'


def gallery(drawings: Iterable[tuple[Raster, str]]) -> Html:
    """Return drawings, each with what is written below it; "" without any."""
    shown = "".join(
        f'<span><img alt="{escape(printable(text))}" src="data:image/png;base64,{base64.b64encode(png_of(raster)).decode()}">'
        f"{html(text)}</span>"
        for raster, text in drawings
    )
    return Html(f'<div class="ink">{shown}</div>' if shown else "")
