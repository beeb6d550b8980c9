"""What the figures of a model mean, in a few sentences for the head of a centre.

For the top of a model card and of a report: what a list of one length finds,
whether that is more than simpler orders find, whether the expectation can be
believed, and whether the procedure can tell something from nothing. A
difference whose interval contains 0 is "not known". Lists of fewer than
``few`` people are not told.
"""

from __future__ import annotations

from collections.abc import Mapping

from ml.evaluate import Comparison
from ml.figures import AtCapacity, Figures
from ml.intervals import Estimate

_SMALLEST = 30
_FEW_EVENTS = 60
_WIDE = 1.0
"""Width of the interval of a slope from which nothing is said of it."""
_SIMPLER = {"single": "只看最好的单个分数{name}", "rules": "按现行规则排序", "logistic": "用普通逻辑回归"}


def words(
    comparison: Comparison, *, names: Mapping[str, str] | None = None, capacity: float = 0.10, few: int = _SMALLEST
) -> list[str]:
    """Three to six sentences. ``names``: meanings of features by key, for the score that stands alone."""
    held = comparison.model
    if held.auc.value is None:
        return ["有结果的约谈较少，或只有一种结果，尚不能判断提示是否有用。"]
    if comparison.leak_suspected:
        return ["指标好得不合常理，多半混入了事后才知道的内容；查明之前，以下数字都不能作数。"]
    at = next((one for one in held.at_capacity if one.capacity == capacity and one.talks >= few), None)
    found = [_list(held, at)] if at is not None else [f"名单前 {capacity:.0%} 的人数较少，不说明找到多少。"]
    if at is not None:
        found += _beside(comparison, at, names or {})
    return [*found, _calibration(held), *_shuffled(comparison), *_size(held)]


def _list(held: Figures, at: AtCapacity) -> str:
    hits = "" if at.precision.value is None else f"，约到的每 10 人中约有 {10 * at.precision.value:.0f} 人确实需要"
    return (
        f"在没有用来训练的 {held.rows} 次结果上检验：约谈名单前 {at.capacity:.0%} 中找到了"
        f"需要关注的学生的约 {_share(at.recall)}{hits}。"
    )


def _share(one: Estimate) -> str:
    if one.value is None:
        return "（尚不能判断）"
    return (
        f"{one.value:.0%}"
        if one.low is None or one.high is None
        else f"{one.value:.0%}（{one.low:.0%}–{one.high:.0%}）"
    )


def _beside(comparison: Comparison, at: AtCapacity, names: Mapping[str, str]) -> list[str]:
    """The same list by simpler orders, and whether the difference is known."""
    told = []
    for key, phrase in _SIMPLER.items():
        if key not in comparison.baselines:
            continue
        own = f"（{names.get(comparison.single[0], comparison.single[0])}）" if key == "single" else ""
        recall = comparison.baselines[key].at(at.capacity).recall
        gap = comparison.differences[key][f"recall@{at.capacity:g}"]
        told.append(f"{phrase.format(name=own)}，同样长的名单找到约 {_share(recall)}，{_gap(gap)}")
    return ["；".join(told) + "。"] if told else []


def _gap(gap: Estimate) -> str:
    if gap.low is None or gap.high is None or gap.low <= 0 <= gap.high:
        return "差别尚不能判断"
    return "本提示找到的较多" if gap.low > 0 else "本提示找到的反而较少"


def _calibration(held: Figures) -> str:
    slope, shift = held.slope, held.in_the_large
    unsure = "预期人数与实际是否相符，尚不能判断。"
    if slope.low is None or slope.high is None or shift.low is None or shift.high is None:
        return unsure
    if slope.high - slope.low > _WIDE:
        return unsure
    wrong = []
    if shift.low > 0 or shift.high < 0:
        wrong.append("实际需要关注的比预期的" + ("多" if shift.low > 0 else "少"))
    if slope.high < 1 or slope.low > 1:
        wrong.append("高低之间的差距" + ("说得过大" if slope.high < 1 else "说得过小"))
    if wrong:
        return f"预期人数与实际不完全相符：{'，'.join(wrong)}；请以先后为准，并用本校新结果重新校准。"
    return "预期人数与实际大致相符（校准只对本校、本轮这样的学生成立）。"


def _shuffled(comparison: Comparison) -> list[str]:
    if comparison.shuffled is None or comparison.shuffled.auc.value is None:
        return []
    if comparison.shuffled.shows_nothing:
        return ["把结果在学生之间打乱后重做，排不出先后，说明流程本身不会无中生有。"]
    return ["把结果在学生之间打乱后重做，仍排出了先后，流程或数据有问题，请先查明。"]


def _size(held: Figures) -> list[str]:
    if min(held.positives, held.rows - held.positives) >= _FEW_EVENTS:
        return []
    return ["结果较少，以上区间较宽，只作参考，请在下一轮之后再看。"]
