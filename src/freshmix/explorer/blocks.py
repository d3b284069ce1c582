"""An answer's blocks (words/layout.py) as parts of the page: text alone, nothing in it is for a browser to obey."""

from typing import Any

from dash import html

from ..words.layout import Answer, Block, Code, Grid, Leads, Lines, Pairs, Verdict


def shown(answer: Answer) -> list[Any]:
    """The parts, one below the other."""
    return [part for block in answer for part in _shown(block)]


def _shown(block: Any) -> list[Any]:
    if isinstance(block, Verdict):
        return [html.P([html.Strong(block.word), f": {block.reason}"])]
    if isinstance(block, Block):
        return [html.P(text) for text in block.texts]
    heading = [] if block.heading is None else [html.H3(block.heading)]
    if isinstance(block, Leads):
        return [*heading, *[html.P([html.Strong(lead), f": {text}"]) for lead, text in block.rows]]
    if isinstance(block, Code):
        # What is wider than the screen is reached by the keyboard, too.
        return [*heading, html.Pre(block.lines, tabIndex=0)]
    if isinstance(block, Lines):
        return [*heading, html.Ul([html.Li(text) for text in block.texts])] if block.texts else []
    assert isinstance(block, Pairs | Grid)
    return [*heading, html.Div(_table(block), className="wide", tabIndex=0)]


def _table(block: Pairs | Grid) -> Any:
    names, left = (block.names, block.left) if isinstance(block, Grid) else ((), 2)
    head = [html.Thead(html.Tr([html.Th(name, scope="col", className=_side(i, left)) for i, name in enumerate(names)]))]
    rows = [html.Tr([html.Td(cell, className=_side(i, left)) for i, cell in enumerate(row)]) for row in block.rows]
    return html.Table([*(head if names else []), html.Tbody(rows)])


def _side(place: int, left: int) -> str:
    return "words" if place < left else "figures"
