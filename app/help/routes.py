"""使用帮助."""

from __future__ import annotations

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from app.security.policy import Permission, Purpose
from app.web.feature import Room
from config import catalogue

TOPICS = {
    "worklist": "我的待办与时限",
    "talk": "联系学生与记一笔",
    "alerts": "预警与研判",
    "cases": "个案",
    "screening": "导入普查结果",
    "hints": "约谈名单与模型提示",
    "models": "模型与提示",
    "sources": "数据来源",
    "roster": "导入名册与班级表",
    "staff": "账号与教职工导入",
    "rules": "规则、时限与审批",
    "audit": "审计日志与校验",
    "privacy": "谁能看到什么",
}

help_pages = Room("help", __name__, url_prefix="/help", template_folder="templates")


@help_pages.route("", needs=Permission.OWN_WORKPLACE, purpose=Purpose.OWN)
def index() -> ResponseReturnValue:
    return render_template("help/index.html", topics=TOPICS)


@help_pages.route("/<topic>", needs=Permission.OWN_WORKPLACE, purpose=Purpose.OWN)
def show(topic: str) -> ResponseReturnValue:
    if topic not in TOPICS:
        abort(404)
    tags = [held["label"] for held in catalogue.table("tags").values()]
    return render_template(f"help/{topic}.html", topics=TOPICS, topic=topic, tags=tags)
