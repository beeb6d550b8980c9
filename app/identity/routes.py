"""登录, 切换岗位, 密码, 账号管理."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import abort, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user
from sqlalchemy import or_, select
from sqlalchemy.orm import selectinload

from app.identity import account, demo
from app.identity.forms import AccountForm, GrantForm, PasswordForm, SignInForm, role_words
from app.identity.signed_in import SignedIn
from app.security import sign_in as session_table
from app.security.access import PAGE
from app.security.policy import Permission, Purpose
from app.web.feature import ANYONE, Room, access, actor, door
from app.web.forms import options
from app.web.paging import page_of
from models.identity import College, Role, RoleGrant, Staff
from models.moment import today
from models.refusal import Refusal

identity = Room("identity", __name__, template_folder="templates")


# --- before sign-in ---------------------------------------------------------------------


@identity.route("/sign-in", needs=ANYONE, methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(url_for("cases.home"))
    form = SignInForm()
    status = 200
    if form.validate_on_submit():
        try:
            token = session_table.sign_in(
                door(), login=form.login.data, password=form.password.data, address=request.remote_addr or ""
            )
        except Refusal as refusal:
            form.password.errors = [refusal.sentence]
            status = 422
        else:
            return _enter(token)
    accounts = demo.accounts(door()) if door().is_demo else []
    return render_template("identity/sign_in.html", form=form, accounts=accounts), status


@identity.route("/demo/sign-in", needs=ANYONE, methods=["POST"])
def demo_sign_in() -> ResponseReturnValue:
    """One click per invented person. Exists only where the database was born as a demo."""
    if not door().is_demo:
        abort(404)
    if current_user.is_authenticated:
        logout_user()
    return _enter(demo.enter(door(), request.form.get("login", "")))


def _enter(token: str) -> ResponseReturnValue:
    found = session_table.actor_of(door(), token, background=True)
    if found is None:
        abort(401)
    session.clear()
    login_user(SignedIn(token, *found))
    if found[1].staff.must_change_password and not door().is_demo:
        return redirect(url_for("identity.change_password"))
    return redirect(_safe_next(request.args.get("next")))


def _safe_next(target: str | None) -> str:
    """Only a path of our own: never another host."""
    home = url_for("cases.home")
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return home
    parts = urlsplit(target)
    return home if parts.scheme or parts.netloc else target


# --- one's own session ---------------------------------------------------------------------


@identity.route("/sign-out", needs=Permission.OWN_WORKPLACE, purpose=Purpose.OWN, methods=["POST"])
def sign_out() -> ResponseReturnValue:
    session_table.end_session(access)
    logout_user()
    session.clear()
    return redirect(url_for(".sign_in"))


@identity.route("/role", needs=Permission.OWN_WORKPLACE, purpose=Purpose.OWN, methods=["POST"])
def switch_role() -> ResponseReturnValue:
    wanted = request.form.get("role", "")
    if wanted not in set(Role):
        raise Refusal("没有这个岗位角色。")
    token = session_table.switch_role(access, door(), Role(wanted))
    g.new_token = token
    session["_user_id"] = token
    return redirect(url_for("cases.home"))


@identity.route("/session/keep", needs=Permission.OWN_WORKPLACE, purpose=Purpose.OWN, methods=["POST"])
def keep_session() -> ResponseReturnValue:
    """The reader pressed 继续使用 in the warning; being asked is being there."""
    return {"kept": True}


def _new_password() -> str | None:
    """Check the old password and hash the new one before any transaction begins."""
    form = PasswordForm()
    if not form.validate():
        return None
    if not session_table.check_password(current_user.staff.password_hash, form.current.data):
        return ""
    return session_table.hash_password(form.password.data)


@identity.route(
    "/account/password",
    needs=Permission.OWN_WORKPLACE,
    purpose=Purpose.OWN,
    methods=["GET", "POST"],
    outside=_new_password,
)
def change_password() -> ResponseReturnValue:
    form = PasswordForm()
    if form.validate_on_submit():
        with form.explaining():
            if not g.outside:
                raise Refusal("现在的密码不正确。", field="current")
            if form.password.data == form.current.data:
                raise Refusal("新密码不能与现在的密码相同。", field="password")
            staff = access.session.get_one(Staff, actor().id)
            session_table.refuse_weak(form.password.data, login=staff.login)
            account.set_password(access, staff, password_hash=g.outside, must_change=False)
            flash("密码已修改，其他设备上的登录已结束。")
            return redirect(url_for("cases.home"))
    return render_template("identity/password.html", form=form, forced=current_user.staff.must_change_password)


# --- accounts (system administrator) ---------------------------------------------------------


@identity.route("/accounts", needs=Permission.ACCOUNTS_MANAGE, purpose=Purpose.ADMINISTRATION)
def accounts() -> ResponseReturnValue:
    place = page_of(request.args.get("page"))
    role = request.args.get("role", "")
    query = select(Staff.id, Staff.login, Staff.name, Staff.staff_number, Staff.retired_at)
    if role in set(Role):
        day = today()
        query = query.where(
            Staff.id.in_(
                select(RoleGrant.staff_id).where(
                    RoleGrant.role == role,
                    RoleGrant.since <= day,
                    or_(RoleGrant.until.is_(None), RoleGrant.until > day),
                )
            )
        )
    if request.args.get("show") == "retired":
        query = query.where(Staff.retired_at.is_not(None))
    else:
        query = query.where(Staff.retired_at.is_(None))
    rows = access.page(query, order=["login", "id"], limit=PAGE + 1, offset=place.offset)
    grants: dict[UUID, list[Any]] = {}
    for grant in access.session.scalars(
        select(RoleGrant)
        .where(RoleGrant.staff_id.in_([row.id for row in rows]))
        .options(selectinload(RoleGrant.college))
        .order_by(RoleGrant.since)
    ):
        if grant.holds_on(today()):
            grants.setdefault(grant.staff_id, []).append(grant)
    return render_template(
        "identity/accounts.html",
        rows=rows[:PAGE],
        grants=grants,
        place=place.with_rows(len(rows)),
        role=role,
        roles=role_words(),
        show=request.args.get("show", ""),
    )


def _temporary_password() -> tuple[str, str]:
    """A first password to hand over, and its hash."""
    words = secrets.token_urlsafe(9)
    return words, session_table.hash_password(words)


@identity.route(
    "/accounts/new",
    needs=Permission.ACCOUNTS_MANAGE,
    purpose=Purpose.ADMINISTRATION,
    methods=["GET", "POST"],
    outside=_temporary_password,
)
def new_account() -> ResponseReturnValue:
    form = AccountForm()
    form.college_id.choices = options([("", "全校"), *account.colleges(access)])
    if form.validate_on_submit():
        with form.explaining():
            words, hashed = g.outside
            staff = account.open_account(
                access,
                login=form.login.data,
                name=form.name.data,
                staff_number=form.staff_number.data,
                password_hash=hashed,
            )
            account.grant(access, staff, role=Role(form.role.data), college_id=_college(form.college_id.data))
            return render_template("identity/handed_over.html", staff=staff, password=words)
    return render_template("identity/new_account.html", form=form)


@identity.route("/accounts/<uuid:staff_id>", needs=Permission.ACCOUNTS_MANAGE, purpose=Purpose.ADMINISTRATION)
def show_account(staff_id: UUID) -> ResponseReturnValue:
    staff = access.find(Staff, staff_id)
    form = GrantForm()
    return _account_page(staff, form)


def _account_page(staff: Staff, form: GrantForm) -> ResponseReturnValue:
    form.college_id.choices = options([("", "全校"), *account.colleges(access)])
    form.version.data = str(staff.version)
    names = {row.id: row.name for row in access.session.execute(select(College.id, College.name))}
    return render_template("identity/account.html", staff=staff, form=form, colleges=names, today=today())


@identity.route(
    "/accounts/<uuid:staff_id>/grants",
    needs=Permission.ACCOUNTS_MANAGE,
    purpose=Purpose.ADMINISTRATION,
    methods=["POST"],
)
def grant_role(staff_id: UUID) -> ResponseReturnValue:
    form = GrantForm()
    form.college_id.choices = options([("", "全校"), *account.colleges(access)])
    staff = access.find(Staff, staff_id)
    if form.validate_on_submit():
        with form.explaining():
            account.grant(access, staff, role=Role(form.role.data), college_id=_college(form.college_id.data))
            flash("已授予角色。")
            return redirect(url_for(".show_account", staff_id=staff.id))
    return _account_page(access.find(Staff, staff_id), form)


@identity.route(
    "/accounts/<uuid:staff_id>/grants/<uuid:grant_id>/end",
    needs=Permission.ACCOUNTS_MANAGE,
    purpose=Purpose.ADMINISTRATION,
    methods=["POST"],
)
def end_grant(staff_id: UUID, grant_id: UUID) -> ResponseReturnValue:
    account.end_grant(access, access.find(Staff, staff_id), grant_id)
    flash("已取消角色，这位老师的登录已结束。")
    return redirect(url_for(".show_account", staff_id=staff_id))


@identity.route(
    "/accounts/<uuid:staff_id>/password",
    needs=Permission.ACCOUNTS_MANAGE,
    purpose=Purpose.ADMINISTRATION,
    methods=["POST"],
    outside=_temporary_password,
)
def reset_password(staff_id: UUID) -> ResponseReturnValue:
    staff = access.find(Staff, staff_id)
    words, hashed = g.outside
    account.set_password(access, staff, password_hash=hashed, must_change=True)
    return render_template("identity/handed_over.html", staff=staff, password=words)


@identity.route(
    "/accounts/<uuid:staff_id>/retire",
    needs=Permission.ACCOUNTS_MANAGE,
    purpose=Purpose.ADMINISTRATION,
    methods=["POST"],
)
def retire(staff_id: UUID) -> ResponseReturnValue:
    account.retire(access, access.find(Staff, staff_id))
    flash("账号已停用。")
    return redirect(url_for(".accounts"))


def _college(chosen: str | None) -> UUID | None:
    return UUID(chosen) if chosen else None
