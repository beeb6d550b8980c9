"""What stands on the left, in the order in which it is needed; each role finds only what it may enter."""

from __future__ import annotations

from app.cases import worklist
from app.risk.hints import objection
from app.screening import retest
from app.screening.sources import source_view
from app.security.access import Access
from app.security.policy import Permission, Purpose
from app.web.navigation import Item
from models.approval import Approval, ApprovalStage
from models.identity import Role


def _approvals_waiting(access: Access) -> int:
    deciding = access.under(Permission.APPROVE, Purpose.ADMINISTRATION)
    return deciding.count(Approval, Approval.stage == ApprovalStage.WAITING, most=100)


def _interviews_of_mine(access: Access) -> int:
    return worklist.open_interviews(access.under(Permission.INTERVIEW_WORK), mine=True)


def _retests_of_mine(access: Access) -> int:
    return retest.open_of_mine(access.under(Permission.RETEST_WORK))


def _objections_open(access: Access) -> int:
    return objection.open_count(access.under(Permission.OBJECTION_WORK))


def _deliveries_waiting(access: Access) -> int:
    return source_view.waiting(access.under(Permission.SOURCE_MANAGE))


NAVIGATION = (
    Item(
        label="我的待办",
        endpoint="cases.mine",
        icon="inbox",
        permission=Permission.DUTY_WORK,
        badge=worklist.open_items_of_mine,
        family=("cases.show_duty", "cases.record_contact"),
    ),
    Item(label="预警", endpoint="alerts.index", icon="bell", permission=Permission.ALERT_TRIAGE, family=("alerts.",)),
    Item(
        label="约谈名单",
        endpoint="risk.interview_list",
        icon="chat-square-text",
        permission=Permission.INTERVIEW_WORK,
        badge=_interviews_of_mine,
        family=(
            "risk.interview",
            "risk.hand_over_interview",
            "hints.dismiss",
            "hints.known",
            "hints.reconsider",
            "hints.talks",
            "hints.lot",
        ),
    ),
    Item(
        label="重测名单",
        endpoint="retests.index",
        icon="arrow-repeat",
        permission=Permission.RETEST_WORK,
        badge=_retests_of_mine,
        family=("retests.",),
    ),
    Item(
        label="个案",
        endpoint="casework.index",
        icon="folder2-open",
        permission=Permission.CASE_READ,
        family=("casework.",),
    ),
    Item(
        label="时限与进展",
        endpoint="cases.lead_overview",
        icon="clock-history",
        permission=Permission.LEAD_OVERVIEW,
        family=("cases.assign",),
    ),
    Item(
        label="我的学生",
        endpoint="cases.my_classes",
        icon="people",
        permission=Permission.STUDENT_SEARCH,
        roles=frozenset({Role.ADVISOR, Role.CLASS_TEACHER, Role.COLLEGE_LEAD}),
    ),
    Item(
        label="普查提醒",
        endpoint="participation.reminders_page",
        icon="megaphone",
        permission=Permission.ROUND_COVERAGE,
        roles=frozenset({Role.ADVISOR, Role.COLLEGE_LEAD}),
        family=("participation.",),
    ),
    Item(
        label="学生查找",
        endpoint="students.find",
        icon="search",
        permission=Permission.STUDENT_SEARCH,
        family=("students.",),
    ),
    Item(
        label="普查批次",
        endpoint="screening.rounds",
        icon="clipboard2-pulse",
        permission=Permission.ROUND_MANAGE,
        family=("screening.", "participation.", "consents.", "corrections."),
    ),
    Item(
        label="数据来源",
        endpoint="sources.index",
        icon="inboxes",
        permission=Permission.SOURCE_MANAGE,
        badge=_deliveries_waiting,
        family=("sources.",),
    ),
    Item(
        label="待核实提示",
        endpoint="risk.unplaced_list",
        icon="question-diamond",
        permission=Permission.UNPLACED_WORK,
        family=("risk.place", "risk.dismiss"),
    ),
    Item(
        label="提示采纳",
        endpoint="hints.index",
        icon="clipboard-data",
        permission=Permission.HINT_YIELD,
    ),
    Item(
        label="异议复核",
        endpoint="objections.index",
        icon="hand-index",
        permission=Permission.OBJECTION_WORK,
        badge=_objections_open,
        family=("objections.show",),
    ),
    Item(
        label="审批",
        endpoint="admin.approvals",
        icon="pen",
        permission=Permission.APPROVE,
        purpose=Purpose.ADMINISTRATION,
        badge=_approvals_waiting,
        family=("admin.approval",),
    ),
    Item(
        label="规则与时限",
        endpoint="admin.rules",
        icon="sliders",
        permission=Permission.RULES_READ,
        purpose=Purpose.ADMINISTRATION,
        family=("admin.change_rule",),
    ),
    Item(
        label="模型与提示",
        endpoint="models.index",
        icon="graph-up",
        permission=Permission.MODEL_READ,
        purpose=Purpose.ADMINISTRATION,
        family=("models.",),
    ),
    Item(
        label="数据使用登记",
        endpoint="data_use.index",
        icon="journal-check",
        permission=Permission.DATA_USE_READ,
        purpose=Purpose.ADMINISTRATION,
        family=("data_use.",),
    ),
    Item(
        label="名册导入",
        endpoint="roster.desk",
        icon="file-earmark-arrow-up",
        permission=Permission.ROSTER_IMPORT,
        purpose=Purpose.ADMINISTRATION,
        family=("roster.desk",),
    ),
    Item(
        label="待补资料",
        endpoint="roster.todo",
        icon="list-check",
        permission=Permission.ROSTER_IMPORT,
        purpose=Purpose.ADMINISTRATION,
    ),
    Item(
        label="账号",
        endpoint="identity.accounts",
        icon="person-badge",
        permission=Permission.ACCOUNTS_MANAGE,
        purpose=Purpose.ADMINISTRATION,
        family=("identity.",),
    ),
    Item(
        label="教职工导入",
        endpoint="staff.desk",
        icon="file-earmark-arrow-up",
        permission=Permission.STAFF_IMPORT,
        purpose=Purpose.ADMINISTRATION,
        family=("staff.",),
    ),
    Item(
        label="系统状态",
        endpoint="admin.system",
        icon="hdd-stack",
        permission=Permission.SYSTEM_READ,
        purpose=Purpose.ADMINISTRATION,
    ),
    Item(
        label="权限一览",
        endpoint="admin.policy_page",
        icon="shield-check",
        permission=Permission.POLICY_READ,
        purpose=Purpose.ADMINISTRATION,
    ),
    Item(
        label="审计日志",
        endpoint="audit.index",
        icon="journal-text",
        permission=Permission.AUDIT_READ,
        purpose=Purpose.ADMINISTRATION,
    ),
    Item(
        label="日志校验",
        endpoint="audit.prove",
        icon="patch-check",
        permission=Permission.AUDIT_READ,
        purpose=Purpose.ADMINISTRATION,
    ),
)
