"""``risk``: the model from the command line."""

from __future__ import annotations

import click

from app.cli import risk_evaluate, risk_model, risk_simulate


@click.group()
def risk() -> None:
    """模型提示：训练、计算、模型卡、重算、漂移；在任意表格上检验流程，模拟抽查的作用。"""


for command in (
    risk_model.train_command,
    risk_model.score_command,
    risk_model.card_command,
    risk_model.replay_command,
    risk_model.drift_command,
    risk_evaluate.evaluate_command,
    risk_simulate.simulate_command,
):
    risk.add_command(command)
