"""The first house: every table, and the guards that let the log only grow."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Id

revision: str = "2026_11_22_first_house"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


LEDGER = ("ledger_entry", "ledger_subject", "ledger_head")
SAME_ROW = {
    "ledger_entry": "id = NEW.id OR (writer = NEW.writer AND seq = NEW.seq)",
    "ledger_subject": "subject_id = NEW.subject_id AND entry_id = NEW.entry_id",
    "ledger_head": "id = NEW.id OR number = NEW.number",
}


def guard_ledger() -> None:
    """The log may be added to and read; nothing else, for nobody."""
    if op.get_bind().dialect.name == "sqlite":
        for table in LEDGER:
            for change in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'the log only grows'); END"
                )
            op.execute(  # INSERT OR REPLACE deletes without asking the trigger on DELETE
                f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
                f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {SAME_ROW[table]}) "
                "BEGIN SELECT RAISE(ABORT, 'the log only grows'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the log only grows'; END $$"
    )
    for table in LEDGER:
        op.execute(
            f"CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change()"
        )


def unguard_ledger() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in LEDGER:
            for change in ("update", "delete", "replace"):
                op.execute(f"DROP TRIGGER {table}_no_{change}")
        return
    for table in LEDGER:
        op.execute(f"DROP TRIGGER {table}_only_grows ON {table}")
    op.execute("DROP FUNCTION refuse_ledger_change()")


def upgrade() -> None:
    op.create_table(
        "college",
        sa.Column("id", Id(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_college"),
        sa.UniqueConstraint("name", name="uq_college_name"),
    )
    op.create_table(
        "data_key",
        sa.Column("owner_id", Id(), nullable=False),
        sa.Column("key_class", sa.String(12), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("owner_kind", sa.String(length=24), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(length=80), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "key_class", "generation", name="pk_data_key"),
    )
    op.create_index("ix_data_key_epoch", "data_key", ["epoch"], unique=False)
    op.create_table(
        "deployment",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("school", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("roster_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deployment"),
    )
    op.create_table(
        "job",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("effect_key", sa.String(length=120), nullable=False),
        sa.Column("stage", sa.String(12), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_by", sa.String(length=60), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=120), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        sa.UniqueConstraint("effect_key", name="uq_job_effect_key"),
    )
    op.create_index(
        "ix_job_due",
        "job",
        ["run_at", "id"],
        unique=False,
        sqlite_where=sa.text("stage IN ('waiting', 'running')"),
        postgresql_where=sa.text("stage IN ('waiting', 'running')"),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", Id(), nullable=False),
        sa.Column("writer", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", Id(), nullable=True),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("act", sa.String(length=60), nullable=False),
        sa.Column("purpose", sa.String(length=24), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("object_id", Id(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_entry"),
        sa.UniqueConstraint("writer", "seq", name="uq_ledger_entry_writer_seq"),
    )
    op.create_index("ix_ledger_entry_act_at", "ledger_entry", ["act", "at"], unique=False)
    op.create_index("ix_ledger_entry_actor_id_at", "ledger_entry", ["actor_id", "at"], unique=False)
    op.create_index("ix_ledger_entry_at", "ledger_entry", ["at"], unique=False)
    op.create_index("ix_ledger_entry_object_id", "ledger_entry", ["object_id"], unique=False)
    op.create_table(
        "ledger_head",
        sa.Column("id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_head"),
        sa.UniqueConstraint("number", name="uq_ledger_head_number"),
    )
    op.create_table(
        "ledger_subject",
        sa.Column("subject_id", Id(), nullable=False),
        sa.Column("entry_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "entry_id", name="pk_ledger_subject"),
    )
    op.create_table(
        "sign_in_throttle",
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_sign_in_throttle"),
    )
    op.create_table(
        "staff",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(length=60), nullable=False),
        sa.Column("staff_number", sa.String(length=40), nullable=True),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
        sa.UniqueConstraint("login", name="uq_staff_login"),
        sa.UniqueConstraint("staff_number", name="uq_staff_staff_number"),
    )
    op.create_table(
        "approval",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("stage", sa.String(12), nullable=False),
        sa.Column("object_id", Id(), nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("asked_by", Id(), nullable=False),
        sa.Column("asked_role", sa.String(24), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner_id", Id(), nullable=False),
        sa.Column("owner_role", sa.String(24), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", Id(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["asked_by"], ["staff.id"], name="fk_approval_asked_by"),
        sa.ForeignKeyConstraint(["decided_by"], ["staff.id"], name="fk_approval_decided_by"),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name="fk_approval_owner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_approval"),
    )
    op.create_index("ix_approval_asked_by", "approval", ["asked_by"], unique=False)
    op.create_index("ix_approval_object_id", "approval", ["object_id"], unique=False)
    op.create_index(
        "ix_approval_waiting_owner",
        "approval",
        ["owner_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("stage = 'waiting'"),
        postgresql_where=sa.text("stage = 'waiting'"),
    )
    op.create_table(
        "class_group",
        sa.Column("id", Id(), nullable=False),
        sa.Column("college_id", Id(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("grade", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(["college_id"], ["college.id"], name="fk_class_group_college_id"),
        sa.PrimaryKeyConstraint("id", name="pk_class_group"),
        sa.UniqueConstraint("college_id", "name", name="uq_class_group_college_id_name"),
    )
    op.create_index("ix_class_group_college_id", "class_group", ["college_id"], unique=False)
    op.create_table(
        "draft",
        sa.Column("id", Id(), nullable=False),
        sa.Column("author_id", Id(), nullable=False),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("form", sa.String(length=120), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["staff.id"], name="fk_draft_author_id"),
        sa.PrimaryKeyConstraint("id", name="pk_draft"),
        sa.UniqueConstraint("author_id", "role", "form", name="uq_draft_author_id_role_form"),
    )
    op.create_table(
        "notice",
        sa.Column("id", Id(), nullable=False),
        sa.Column("recipient_id", Id(), nullable=False),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("object_id", Id(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["recipient_id"], ["staff.id"], name="fk_notice_recipient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
    )
    op.create_index("ix_notice_recipient_id_read_at", "notice", ["recipient_id", "role", "read_at"], unique=False)
    op.create_table(
        "role_grant",
        sa.Column("id", Id(), nullable=False),
        sa.Column("staff_id", Id(), nullable=False),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("college_id", Id(), nullable=True),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["college_id"], ["college.id"], name="fk_role_grant_college_id"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_role_grant_staff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_role_grant"),
    )
    op.create_index("ix_role_grant_role_college_id", "role_grant", ["role", "college_id"], unique=False)
    op.create_index("ix_role_grant_staff_id", "role_grant", ["staff_id"], unique=False)
    op.create_table(
        "screening_round",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("stage", sa.String(24), nullable=False),
        sa.Column("owner_id", Id(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("interviews_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name="fk_screening_round_owner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_screening_round"),
        sa.UniqueConstraint("name", name="uq_screening_round_name"),
    )
    op.create_table(
        "sign_in_session",
        sa.Column("id", Id(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("staff_id", Id(), nullable=False),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_sign_in_session_staff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_session"),
        sa.UniqueConstraint("token_hash", name="uq_sign_in_session_token_hash"),
    )
    op.create_index("ix_sign_in_session_staff_id", "sign_in_session", ["staff_id"], unique=False)
    op.create_table(
        "class_alias",
        sa.Column("id", Id(), nullable=False),
        sa.Column("class_id", Id(), nullable=False),
        sa.Column("college_id", Id(), nullable=False),
        sa.Column("alias", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["class_id"], ["class_group.id"], name="fk_class_alias_class_id"),
        sa.ForeignKeyConstraint(["college_id"], ["college.id"], name="fk_class_alias_college_id"),
        sa.PrimaryKeyConstraint("id", name="pk_class_alias"),
        sa.UniqueConstraint("college_id", "alias", name="uq_class_alias_college_id_alias"),
    )
    op.create_index("ix_class_alias_class_id", "class_alias", ["class_id"], unique=False)
    op.create_table(
        "class_post",
        sa.Column("id", Id(), nullable=False),
        sa.Column("class_id", Id(), nullable=False),
        sa.Column("staff_id", Id(), nullable=False),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["class_id"], ["class_group.id"], name="fk_class_post_class_id"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_class_post_staff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_class_post"),
    )
    op.create_index("ix_class_post_class_id", "class_post", ["class_id"], unique=False)
    op.create_index("ix_class_post_staff_id_role", "class_post", ["staff_id", "role"], unique=False)
    op.create_table(
        "import_batch",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("stage", sa.String(24), nullable=False),
        sa.Column("round_id", Id(), nullable=True),
        sa.Column("owner_id", Id(), nullable=True),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("file_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("bytes_total", sa.Integer(), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("progress_total", sa.Integer(), nullable=False),
        sa.Column("strict", sa.Boolean(), nullable=False),
        sa.Column("replace", sa.Boolean(), nullable=False),
        sa.Column("file_name", sa.LargeBinary(), nullable=False),
        sa.Column("plan", sa.LargeBinary(), nullable=True),
        sa.Column("receipt", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name="fk_import_batch_owner_id"),
        sa.ForeignKeyConstraint(["round_id"], ["screening_round.id"], name="fk_import_batch_round_id"),
        sa.PrimaryKeyConstraint("id", name="pk_import_batch"),
    )
    op.create_index("ix_import_batch_file_digest", "import_batch", ["file_digest"], unique=False)
    op.create_index("ix_import_batch_owner_id", "import_batch", ["owner_id"], unique=False)
    op.create_index("ix_import_batch_round_id", "import_batch", ["round_id"], unique=False)
    op.create_table(
        "rule_override",
        sa.Column("id", Id(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approval_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["approval_id"], ["approval.id"], name="fk_rule_override_approval_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rule_override"),
    )
    op.create_index("ix_rule_override_name", "rule_override", ["name"], unique=False)
    op.create_table(
        "student",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("college_id", Id(), nullable=False),
        sa.Column("class_id", Id(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("has_phone", sa.Boolean(), nullable=False),
        sa.Column("name_index", sa.LargeBinary(length=16), nullable=False),
        sa.Column("pinyin_index", sa.LargeBinary(length=16), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(length=16), nullable=True),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("details", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["class_id"], ["class_group.id"], name="fk_student_class_id"),
        sa.ForeignKeyConstraint(["college_id"], ["college.id"], name="fk_student_college_id"),
        sa.PrimaryKeyConstraint("id", name="pk_student"),
    )
    op.create_index("ix_student_class_id", "student", ["class_id"], unique=False)
    op.create_index("ix_student_college_id_class_id", "student", ["college_id", "class_id"], unique=False)
    op.create_index("ix_student_name_index", "student", ["name_index"], unique=False)
    op.create_index("ix_student_phone_index", "student", ["phone_index"], unique=False)
    op.create_index("ix_student_pinyin_index", "student", ["pinyin_index"], unique=False)
    op.create_table(
        "alert",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("college_id", Id(), nullable=False),
        sa.Column("class_id", Id(), nullable=False),
        sa.Column("level", sa.String(8), nullable=False),
        sa.Column("stage", sa.String(12), nullable=False),
        sa.Column("owner_id", Id(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reasons_void", sa.Boolean(), nullable=False),
        sa.Column("basis", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["class_id"], ["class_group.id"], name="fk_alert_class_id"),
        sa.ForeignKeyConstraint(["college_id"], ["college.id"], name="fk_alert_college_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name="fk_alert_owner_id"),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_alert_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
    )
    op.create_index(
        "ix_alert_open_college",
        "alert",
        ["college_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_alert_open_due",
        "alert",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_alert_owner_id", "alert", ["owner_id"], unique=False)
    op.create_index("ix_alert_student_id", "alert", ["student_id"], unique=False)
    op.create_index(
        "uq_alert_open",
        "alert",
        ["student_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "batch_chunk",
        sa.Column("id", Id(), nullable=False),
        sa.Column("batch_id", Id(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name="fk_batch_chunk_batch_id"),
        sa.PrimaryKeyConstraint("id", name="pk_batch_chunk"),
        sa.UniqueConstraint("batch_id", "place", name="uq_batch_chunk_batch_id_place"),
    )
    op.create_table(
        "case",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("college_id", Id(), nullable=False),
        sa.Column("class_id", Id(), nullable=False),
        sa.Column("keeper_id", Id(), nullable=False),
        sa.Column("level", sa.String(8), nullable=False),
        sa.Column("stage", sa.String(20), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(24), nullable=True),
        sa.Column("summary", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["class_id"], ["class_group.id"], name="fk_case_class_id"),
        sa.ForeignKeyConstraint(["college_id"], ["college.id"], name="fk_case_college_id"),
        sa.ForeignKeyConstraint(["keeper_id"], ["staff.id"], name="fk_case_keeper_id"),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_case_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_case"),
        sa.UniqueConstraint("year", "serial", name="uq_case_year_serial"),
    )
    op.create_index(
        "ix_case_open_keeper",
        "case",
        ["keeper_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_case_student_id", "case", ["student_id"], unique=False)
    op.create_index(
        "uq_case_open",
        "case",
        ["student_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "interview_entry",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("round_id", Id(), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("college_id", Id(), nullable=False),
        sa.Column("class_id", Id(), nullable=False),
        sa.Column("stage", sa.String(12), nullable=False),
        sa.Column("owner_id", Id(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("rule_version", sa.String(length=64), nullable=False),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["class_id"], ["class_group.id"], name="fk_interview_entry_class_id"),
        sa.ForeignKeyConstraint(["college_id"], ["college.id"], name="fk_interview_entry_college_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name="fk_interview_entry_owner_id"),
        sa.ForeignKeyConstraint(["round_id"], ["screening_round.id"], name="fk_interview_entry_round_id"),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_interview_entry_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_interview_entry"),
    )
    op.create_index(
        "ix_interview_entry_open_due",
        "interview_entry",
        ["round_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_interview_entry_owner_id", "interview_entry", ["owner_id"], unique=False)
    op.create_index("ix_interview_entry_student_id", "interview_entry", ["student_id"], unique=False)
    op.create_index(
        "uq_interview_entry_live",
        "interview_entry",
        ["round_id", "student_id"],
        unique=True,
        sqlite_where=sa.text("stage != 'void'"),
        postgresql_where=sa.text("stage != 'void'"),
    )
    op.create_table(
        "response_set",
        sa.Column("id", Id(), nullable=False),
        sa.Column("round_id", Id(), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("batch_id", Id(), nullable=False),
        sa.Column("scale", sa.String(length=24), nullable=False),
        sa.Column("scale_version", sa.String(length=16), nullable=False),
        sa.Column("engine_version", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name="fk_response_set_batch_id"),
        sa.ForeignKeyConstraint(["round_id"], ["screening_round.id"], name="fk_response_set_round_id"),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_response_set_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_response_set"),
    )
    op.create_index("ix_response_set_student_id", "response_set", ["student_id"], unique=False)
    op.create_index(
        "uq_response_set_live",
        "response_set",
        ["round_id", "student_id", "scale"],
        unique=True,
        sqlite_where=sa.text("voided_at IS NULL"),
        postgresql_where=sa.text("voided_at IS NULL"),
    )
    op.create_table(
        "student_number",
        sa.Column("id", Id(), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("index", sa.LargeBinary(length=16), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_student_number_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_student_number"),
    )
    op.create_index("ix_student_number_student_id", "student_number", ["student_id"], unique=False)
    op.create_index(
        "uq_student_number_index",
        "student_number",
        ["index"],
        unique=True,
        sqlite_where=sa.text("until IS NULL"),
        postgresql_where=sa.text("until IS NULL"),
    )
    op.create_table(
        "unplaced_answer",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("batch_id", Id(), nullable=False),
        sa.Column("round_id", Id(), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(24), nullable=False),
        sa.Column("owner_id", Id(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rule_version", sa.String(length=64), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("student_id", Id(), nullable=True),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name="fk_unplaced_answer_batch_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name="fk_unplaced_answer_owner_id"),
        sa.ForeignKeyConstraint(["round_id"], ["screening_round.id"], name="fk_unplaced_answer_round_id"),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_unplaced_answer_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_unplaced_answer"),
    )
    op.create_index("ix_unplaced_answer_owner_id", "unplaced_answer", ["owner_id"], unique=False)
    op.create_table(
        "care_advice",
        sa.Column("id", Id(), nullable=False),
        sa.Column("case_id", Id(), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("author_id", Id(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["staff.id"], name="fk_care_advice_author_id"),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_care_advice_case_id"),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_care_advice_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_care_advice"),
    )
    op.create_index("ix_care_advice_case_id", "care_advice", ["case_id"], unique=False)
    op.create_index("ix_care_advice_student_id", "care_advice", ["student_id"], unique=False)
    op.create_table(
        "case_note",
        sa.Column("id", Id(), nullable=False),
        sa.Column("case_id", Id(), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("author_id", Id(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("amends_id", Id(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["amends_id"], ["case_note.id"], name="fk_case_note_amends_id"),
        sa.ForeignKeyConstraint(["author_id"], ["staff.id"], name="fk_case_note_author_id"),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_case_note_case_id"),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_case_note_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_case_note"),
    )
    op.create_index("ix_case_note_case_id", "case_note", ["case_id"], unique=False)
    op.create_table(
        "duty",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("alert_id", Id(), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("college_id", Id(), nullable=False),
        sa.Column("class_id", Id(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("stage", sa.String(12), nullable=False),
        sa.Column("level", sa.String(8), nullable=False),
        sa.Column("owner_id", Id(), nullable=False),
        sa.Column("owner_role", sa.String(24), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rule_version", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("times_escalated", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_duty_alert_id"),
        sa.ForeignKeyConstraint(["class_id"], ["class_group.id"], name="fk_duty_class_id"),
        sa.ForeignKeyConstraint(["college_id"], ["college.id"], name="fk_duty_college_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name="fk_duty_owner_id"),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_duty_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_duty"),
    )
    op.create_index("ix_duty_alert_id", "duty", ["alert_id"], unique=False)
    op.create_index(
        "ix_duty_open_college",
        "duty",
        ["college_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("stage = 'open'"),
        postgresql_where=sa.text("stage = 'open'"),
    )
    op.create_index(
        "ix_duty_open_due",
        "duty",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("stage = 'open'"),
        postgresql_where=sa.text("stage = 'open'"),
    )
    op.create_index(
        "ix_duty_open_owner",
        "duty",
        ["owner_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("stage = 'open'"),
        postgresql_where=sa.text("stage = 'open'"),
    )
    op.create_index("ix_duty_student_id", "duty", ["student_id"], unique=False)
    op.create_table(
        "signal",
        sa.Column("id", Id(), nullable=False),
        sa.Column("alert_id", Id(), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("level", sa.String(8), nullable=False),
        sa.Column("source_kind", sa.String(length=24), nullable=False),
        sa.Column("source_id", Id(), nullable=True),
        sa.Column("rule_version", sa.String(length=64), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_cause", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("focus", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_signal_alert_id"),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_signal_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_signal"),
    )
    op.create_index("ix_signal_alert_id", "signal", ["alert_id"], unique=False)
    op.create_index("ix_signal_source_id", "signal", ["source_id"], unique=False)
    op.create_table(
        "task",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("stage", sa.String(12), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("case_id", Id(), nullable=True),
        sa.Column("owner_id", Id(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_task_case_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name="fk_task_owner_id"),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_task_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_task"),
    )
    op.create_index("ix_task_case_id", "task", ["case_id"], unique=False)
    op.create_index(
        "ix_task_open_owner",
        "task",
        ["owner_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("stage = 'open'"),
        postgresql_where=sa.text("stage = 'open'"),
    )
    op.create_index("ix_task_student_id", "task", ["student_id"], unique=False)
    op.create_table(
        "care_talk",
        sa.Column("id", Id(), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("duty_id", Id(), nullable=True),
        sa.Column("author_id", Id(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("way", sa.String(12), nullable=False),
        sa.Column("reached", sa.Boolean(), nullable=False),
        sa.Column("amends_id", Id(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["amends_id"], ["care_talk.id"], name="fk_care_talk_amends_id"),
        sa.ForeignKeyConstraint(["author_id"], ["staff.id"], name="fk_care_talk_author_id"),
        sa.ForeignKeyConstraint(["duty_id"], ["duty.id"], name="fk_care_talk_duty_id"),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_care_talk_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_care_talk"),
    )
    op.create_index("ix_care_talk_author_id", "care_talk", ["author_id"], unique=False)
    op.create_index("ix_care_talk_duty_id", "care_talk", ["duty_id"], unique=False)
    op.create_index("ix_care_talk_student_id", "care_talk", ["student_id"], unique=False)
    op.create_table(
        "duty_holder",
        sa.Column("id", Id(), nullable=False),
        sa.Column("duty_id", Id(), nullable=False),
        sa.Column("staff_id", Id(), nullable=False),
        sa.Column("how", sa.String(12), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["duty_id"], ["duty.id"], name="fk_duty_holder_duty_id"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_duty_holder_staff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_duty_holder"),
    )
    op.create_index("ix_duty_holder_duty_id", "duty_holder", ["duty_id"], unique=False)
    op.create_index("ix_duty_holder_staff_id_duty_id", "duty_holder", ["staff_id", "duty_id"], unique=False)
    guard_ledger()


def downgrade() -> None:
    unguard_ledger()
    op.drop_table("duty_holder")
    op.drop_table("care_talk")
    op.drop_table("task")
    op.drop_table("signal")
    op.drop_table("duty")
    op.drop_table("case_note")
    op.drop_table("care_advice")
    op.drop_table("unplaced_answer")
    op.drop_table("student_number")
    op.drop_table("response_set")
    op.drop_table("interview_entry")
    op.drop_table("case")
    op.drop_table("batch_chunk")
    op.drop_table("alert")
    op.drop_table("student")
    op.drop_table("rule_override")
    op.drop_table("import_batch")
    op.drop_table("class_post")
    op.drop_table("class_alias")
    op.drop_table("sign_in_session")
    op.drop_table("screening_round")
    op.drop_table("role_grant")
    op.drop_table("notice")
    op.drop_table("draft")
    op.drop_table("class_group")
    op.drop_table("approval")
    op.drop_table("staff")
    op.drop_table("sign_in_throttle")
    op.drop_table("ledger_subject")
    op.drop_table("ledger_head")
    op.drop_table("ledger_entry")
    op.drop_table("job")
    op.drop_table("deployment")
    op.drop_table("data_key")
    op.drop_table("college")
