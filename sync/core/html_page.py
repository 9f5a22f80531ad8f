"""A report as a web page that stands alone: the same lines as `page.py`, for a mail, a ticket or an archive.

Holds counts, never people; needs no script and loads nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from sync.core.page import Line, head_of, lines_of, why_stopped
from sync.core.report import Ended

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 46rem; padding: 0 1rem; color: #2b2b2b }
h1 { font-size: 1.3rem } .success { color: #17692b } .partial { color: #8a5a00 } .failed, .stopped { color: #a11b1b }
table { border-collapse: collapse; width: 100% } td { border-top: 1px solid #ddd; padding: .3rem .5rem }
td.n { text-align: right; font-variant-numeric: tabular-nums } td.part { padding-left: 2rem } td.why { color: dimgray }
.error { border-left: .3rem solid #a11b1b; padding: .2rem 1rem }
"""


def render_html(ended: Ended) -> str:
    """The whole document, ending with what to do next when something stopped the run."""
    title, *about = (escape(line) for line in head_of(ended))
    return "\n".join([
        '<!doctype html>', '<html lang="en">', "<head>", '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>", f"<style>{_STYLE}</style>", "</head>", "<body>",
        f'<h1 class="{escape(ended.report.status)}">{title}</h1>', *(f"<p>{line}</p>" for line in about),
        "<table>", *map(_row, lines_of(ended.report)), "</table>", *_error(ended), "</body>", "</html>", "",
    ])  # fmt: skip


def _row(line: Line) -> str:
    depth, label, number, remark = line
    cells = f'<td{" class=part" if depth else ""}>{escape(label)}</td><td class=n>{number:,}</td>'
    return f"<tr>{cells}<td class=why>{escape(remark)}</td></tr>"


def _error(ended: Ended) -> Iterator[str]:
    if why := why_stopped(ended):
        yield '<div class="error">'
        yield from (f"<p>{escape(line)}</p>" for line in why)
        yield "</div>"
