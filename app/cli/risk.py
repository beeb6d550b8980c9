"""``risk``: the model from the command line."""

from __future__ import annotations

import click

from app.cli import risk_evaluate, risk_simulate


@click.group()
def risk() -> None:
    """模型提示：在任意表格上检验流程，模拟抽查的作用。"""


risk.add_command(risk_evaluate.evaluate_command)
risk.add_command(risk_simulate.simulate_command)
