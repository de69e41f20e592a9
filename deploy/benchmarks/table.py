"""Rows of results: medians of runs, their spread, and the table that is printed."""

import statistics


def row(name, unit, errand, peer_name=None, peer=None, goal=None):
    """One row; `errand` and `peer` are the values of the runs, `goal` is (what, sign, number)."""
    own = statistics.median(errand)
    other = statistics.median(peer) if peer else None
    # Neighbours in time share the machine's mood: the ratio is the median over the turns, not that of the medians.
    ratio = statistics.median(mine / its for mine, its in zip(errand, peer, strict=True)) if peer else None
    return {
        "name": name,
        "unit": unit,
        "errand": rounded(own),
        "peer_name": peer_name,
        "peer": rounded(other),
        "ratio": rounded(ratio),
        "runs": len(errand),
        # The distance from the least run to the greatest, as a share of the median: how far to trust the row.
        "spread": rounded((max(errand) - min(errand)) / own) if own else None,
        "goal": " ".join(map(str, goal)) if goal else None,
        "met": reached(own, ratio, goal),
    }


def reached(own, ratio, goal):
    if not goal:
        return None
    what, sign, number = goal
    value = ratio if what == "ratio" else own
    return value >= number if sign == ">=" else value <= number


def rounded(value):
    return None if value is None else float(f"{value:.4g}")


def percentile(samples, share):
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def show(rows):
    head = ("", "errand", "peer", "ratio", "spread", "goal")
    lines = [head] + [line(each) for each in rows]
    widths = [max(len(cells[at]) for cells in lines) for at in range(len(head))]
    for cells in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip(), flush=True)


def line(each):
    peer = f"{plain(each['peer'])} ({each['peer_name']})" if each["peer"] is not None else "-"
    verdict = "" if each["met"] is None else f"{each['goal']}: {'yes' if each['met'] else 'NO'}"
    spread = "-" if each["spread"] is None else f"{each['spread'] * 100:.0f} %"
    return (f"{each['name']}, {each['unit']}", plain(each["errand"]), peer, plain(each["ratio"]), spread, verdict)


def plain(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"
