"""Pages for when it does not work: a sentence, a way on, never content."""

from __future__ import annotations

import secrets

from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from app.security.access import Denied, NotFound, Undecided
from app.security.door import LogUnavailable
from app.security.plainlog import log, refusals, where
from app.security.vault import SealedMode, Unreadable
from app.web.feature import request_id
from models.refusal import Refusal

SENTENCES = {
    400: ("这次提交没有完成", "页面可能已经过期。请返回上一页，刷新后再试；已填写的草稿会保留。"),
    401: ("请先登录", "登录已结束。请重新登录，之后可以继续。"),
    403: ("你的岗位不办理这件事", "如果工作需要，请联系系统管理员核对你的岗位角色。"),
    404: ("没有可以显示的内容", "这里没有你可以查看的内容。可能是链接不完整，或已不在你的工作范围。"),
    405: ("这次提交没有完成", "请从页面上的按钮进入。"),
    409: ("无法完成", ""),
    413: ("文件太大", "单个文件不能超过 64 MB。请按学院拆分后再导入。"),
    429: ("操作太频繁", "请稍等一分钟再试。"),
    500: ("系统出了问题", "没有保存任何半截内容。请把下面的编号告诉系统管理员。"),
    503: ("暂时不能使用", "为了安全，系统现在不能显示任何内容。请稍后再试，或联系系统管理员。"),
}
SEALED = "内容密钥不可用，系统处于封存状态：不显示任何学生内容，时限和上报照常运行。请联系系统管理员。"


class TooOften(Exception):
    """Somebody searches faster than a person does."""


def explain(status: int, sentence: str | None = None, *, reference: str | None = None) -> Response:
    """The page for ``status``, or the same as JSON for a script."""
    title, usual = SENTENCES.get(status, SENTENCES[500])
    sentence = sentence or usual
    if request.accept_mimetypes.best == "application/json":
        response = jsonify({"error": sentence, "reference": reference})
    else:
        page = render_template("error.html", status=status, title=title, sentence=sentence, reference=reference)
        response = make_response(page)
    response.status_code = status
    return response


def handle_errors(app: Flask) -> None:
    """Register every way in which a page can fail."""

    @app.errorhandler(Denied)
    def denied(_problem: Denied) -> Response:
        return explain(403)

    @app.errorhandler(NotFound)
    def not_found(_problem: NotFound) -> Response:
        return explain(404)

    @app.errorhandler(Refusal)
    def refused(problem: Refusal) -> Response:
        return explain(409, problem.sentence)

    @app.errorhandler(TooOften)
    def too_often(_problem: TooOften) -> Response:
        return explain(429)

    @app.errorhandler(LogUnavailable)
    def log_unavailable(problem: LogUnavailable) -> Response:
        log.error("log unavailable", error=type(problem.__cause__).__name__, request_id=request_id())
        return explain(503)

    @app.errorhandler(SealedMode)
    def sealed(_problem: SealedMode) -> Response:
        return explain(503, SEALED)

    @app.errorhandler(CSRFError)
    def forged(_problem: CSRFError) -> Response:
        refusals.warn("csrf refused", route=str(request.url_rule))
        return explain(400)

    @app.errorhandler(HTTPException)
    def http(problem: HTTPException) -> Response:
        status = problem.code or 500
        if status < 400 and problem.response is not None:
            return make_response(problem.get_response())
        if status == 404:
            refusals.warn("unknown address", status=status)
        return explain(status if status in SENTENCES else 400)

    @app.errorhandler(Undecided)
    @app.errorhandler(Unreadable)
    @app.errorhandler(Exception)
    def broken(problem: Exception) -> Response:
        reference = secrets.token_hex(4)
        log.error(
            "page failed",
            error=type(problem).__name__,
            where=where(problem),
            reference=reference,
            route=request.url_rule.rule if request.url_rule else None,
            method=request.method,
            request_id=request_id(),
        )
        return explain(500, reference=reference)
