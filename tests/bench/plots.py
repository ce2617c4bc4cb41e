"""Two SVG plots, without a plotting library: lines over requests in flight, and bars of where a request's time goes."""

from collections.abc import Mapping, Sequence
from math import log10

COLORS = ("#1a73e8", "#188038", "#e8710a", "#9334e6", "#5f6368", "#d93025")
_WIDTH, _HEIGHT, _LEFT, _TOP = 720, 400, 70, 30
_STYLE = '<style>text{font:13px sans-serif;fill:#3c4043}</style><rect width="100%" height="100%" fill="#fff"/>'


def lines(title: str, series: Mapping[str, Sequence[tuple[int, float]]]) -> str:
    """Return milliseconds over requests in flight, both logarithmic."""
    points = [point for line in series.values() for point in line]
    widest, highest = max(x for x, _ in points), max(y for _, y in points)
    body = [_text(_LEFT, 18, title)]
    for exponent in range(int(log10(max(highest, 1))) + 2):
        y = _y(10**exponent, highest)
        body.append(
            f'<path d="M{_LEFT} {y:.0f}H{_WIDTH - 20}" stroke="#dadce0"/>' + _text(8, y + 4, f"{10**exponent} ms")
        )
    body += [_text(_x(x, widest), _HEIGHT + 20, str(x)) for x in sorted({x for x, _ in points})]
    for number, (name, line) in enumerate(series.items()):
        path = " ".join(f"{_x(x, widest):.0f},{_y(y, highest):.0f}" for x, y in line)
        body.append(f'<polyline points="{path}" fill="none" stroke="{COLORS[number]}" stroke-width="2"/>')
        body.append(_legend(number, name, _HEIGHT + 45))
    return _svg(body, len(series))


def bars(title: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    """Return a bar for each row, made of the milliseconds of its steps."""
    steps = list(dict.fromkeys(step for row in rows.values() for step in row))
    longest = max(sum(row.values()) for row in rows.values())
    body = [_text(_LEFT, 18, title)]
    for number, (name, row) in enumerate(rows.items()):
        left, top = 180.0, _TOP + 20 + number * 50
        body.append(_text(8, top + 20, name))
        for step, milliseconds in row.items():
            width = milliseconds / longest * (_WIDTH - 200)
            color = COLORS[steps.index(step) % len(COLORS)]
            body.append(f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="30" fill="{color}"/>')
            left += width
    legend = [_legend(i, step, _TOP + 60 + len(rows) * 50) for i, step in enumerate(steps)]
    return _svg(body + legend, len(steps))


def _x(value: int, most: int) -> float:
    return _LEFT + (log10(value) / max(log10(most), 1)) * (_WIDTH - _LEFT - 40)


def _y(value: float, most: float) -> float:
    return _HEIGHT - (log10(max(value, 1)) / (int(log10(max(most, 1))) + 1)) * (_HEIGHT - _TOP)


def _text(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}">{text}</text>'


def _legend(number: int, name: str, top: int) -> str:
    x, y = _LEFT + 215 * (number % 3), top + 22 * (number // 3)
    color = COLORS[number % len(COLORS)]
    return f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{color}"/>' + _text(x + 18, y, name)


def _svg(body: Sequence[str], entries: int) -> str:
    height = _HEIGHT + 60 + 22 * (entries // 3 + 1)
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}">'
    return "\n".join([opening, _STYLE, *body, "</svg>", ""])
