"""Screening in full: rounds with cohorts and windows, sources, absences, re-tests, structured interviews, corrections."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Id

revision: str = "2026_11_25_screening_in_full"
down_revision: str | None = "2026_11_22_first_house"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def add_reference(table: str, column: str, target: str) -> None:
    """A nullable foreign key on a standing table. SQLite takes it with the column only, and so keeps table and rows."""
    name = f"fk_{table}_{column}"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f'ALTER TABLE "{table}" ADD COLUMN "{column}" BLOB(16) CONSTRAINT {name} REFERENCES "{target}" (id)')
        return
    op.add_column(table, sa.Column(column, Id(), nullable=True))
    op.create_foreign_key(name, table, target, [column], ["id"])


def drop_reference(table: str, column: str) -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(f"fk_{table}_{column}", table, type_="foreignkey")
    op.drop_column(table, column)


def upgrade() -> None:
    op.create_table(
        "consent_text",
        sa.Column("id", Id(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", Id(), nullable=True),
        sa.ForeignKeyConstraint(["written_by"], ["staff.id"], name="fk_consent_text_written_by"),
        sa.PrimaryKeyConstraint("id", name="pk_consent_text"),
        sa.UniqueConstraint("name", "edition", name="uq_consent_text_name_edition"),
    )
    op.create_table(
        "screening_source",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("owner_id", Id(), nullable=False),
        sa.Column("round_id", Id(), nullable=True),
        sa.Column("mapping", sa.Text(), nullable=True),
        sa.Column("mapping_confirmed_by", Id(), nullable=True),
        sa.Column("mapping_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("folder", sa.String(length=80), nullable=True),
        sa.Column("every_days", sa.Integer(), nullable=True),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("told_late_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("push_key", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["mapping_confirmed_by"], ["staff.id"], name="fk_screening_source_mapping_confirmed_by"
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name="fk_screening_source_owner_id"),
        sa.ForeignKeyConstraint(["round_id"], ["screening_round.id"], name="fk_screening_source_round_id"),
        sa.PrimaryKeyConstraint("id", name="pk_screening_source"),
        sa.UniqueConstraint("name", name="uq_screening_source_name"),
    )
    op.create_index("ix_screening_source_round_id", "screening_source", ["round_id"], unique=False)
    op.create_table(
        "structured_interview",
        sa.Column("id", Id(), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("scale", sa.String(length=24), nullable=False),
        sa.Column("scale_version", sa.String(length=16), nullable=False),
        sa.Column("author_id", Id(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("amends_id", Id(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["amends_id"], ["structured_interview.id"], name="fk_structured_interview_amends_id"),
        sa.ForeignKeyConstraint(["author_id"], ["staff.id"], name="fk_structured_interview_author_id"),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_structured_interview_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_structured_interview"),
    )
    op.create_index("ix_structured_interview_student_id", "structured_interview", ["student_id"], unique=False)
    op.create_table(
        "student_tag",
        sa.Column("id", Id(), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("tag", sa.String(length=32), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_student_tag_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_student_tag"),
    )
    op.create_index("ix_student_tag_student_id", "student_tag", ["student_id"], unique=False)
    op.create_index("ix_student_tag_tag_student_id", "student_tag", ["tag", "student_id"], unique=False)
    op.create_table(
        "arrival",
        sa.Column("id", Id(), nullable=False),
        sa.Column("source_id", Id(), nullable=False),
        sa.Column("batch_id", Id(), nullable=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.Column("is_partial", sa.Boolean(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("waits_for", sa.String(length=120), nullable=False),
        sa.Column("is_urgent", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("owner_id", Id(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name="fk_arrival_batch_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name="fk_arrival_owner_id"),
        sa.ForeignKeyConstraint(["source_id"], ["screening_source.id"], name="fk_arrival_source_id"),
        sa.PrimaryKeyConstraint("id", name="pk_arrival"),
    )
    op.create_index("ix_arrival_batch_id", "arrival", ["batch_id"], unique=False)
    op.create_index("ix_arrival_source_id_digest", "arrival", ["source_id", "digest"], unique=False)
    op.create_table(
        "inbox_file",
        sa.Column("id", Id(), nullable=False),
        sa.Column("source_id", Id(), nullable=False),
        sa.Column("name_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("changed_ns", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrival_id", Id(), nullable=True),
        sa.Column("refused", sa.String(12), nullable=True),
        sa.ForeignKeyConstraint(["arrival_id"], ["arrival.id"], name="fk_inbox_file_arrival_id"),
        sa.ForeignKeyConstraint(["source_id"], ["screening_source.id"], name="fk_inbox_file_source_id"),
        sa.PrimaryKeyConstraint("id", name="pk_inbox_file"),
        sa.UniqueConstraint("source_id", "name_digest", name="uq_inbox_file_source_id_name_digest"),
    )
    op.create_table(
        "push",
        sa.Column("id", Id(), nullable=False),
        sa.Column("source_id", Id(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("collected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["screening_source.id"], name="fk_push_source_id"),
        sa.PrimaryKeyConstraint("id", name="pk_push"),
        sa.UniqueConstraint("source_id", "digest", name="uq_push_source_id_digest"),
    )
    op.create_index("ix_push_arrived_at", "push", ["arrived_at"], unique=False)
    op.create_table(
        "retest",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("round_id", Id(), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("college_id", Id(), nullable=False),
        sa.Column("class_id", Id(), nullable=False),
        sa.Column("stage", sa.String(12), nullable=False),
        sa.Column("owner_id", Id(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("chased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("batch_id", Id(), nullable=True),
        sa.Column("settled_by", Id(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name="fk_retest_batch_id"),
        sa.ForeignKeyConstraint(["class_id"], ["class_group.id"], name="fk_retest_class_id"),
        sa.ForeignKeyConstraint(["college_id"], ["college.id"], name="fk_retest_college_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name="fk_retest_owner_id"),
        sa.ForeignKeyConstraint(["round_id"], ["screening_round.id"], name="fk_retest_round_id"),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_retest_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_retest"),
    )
    op.create_index(
        "ix_retest_open_owner",
        "retest",
        ["owner_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_retest_student_id", "retest", ["student_id"], unique=False)
    op.create_index(
        "uq_retest_live",
        "retest",
        ["round_id", "student_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "round_absence",
        sa.Column("id", Id(), nullable=False),
        sa.Column("round_id", Id(), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", Id(), nullable=True),
        sa.Column("batch_id", Id(), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_because", sa.String(16), nullable=True),
        sa.Column("voided_by", Id(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name="fk_round_absence_batch_id"),
        sa.ForeignKeyConstraint(["recorded_by"], ["staff.id"], name="fk_round_absence_recorded_by"),
        sa.ForeignKeyConstraint(["round_id"], ["screening_round.id"], name="fk_round_absence_round_id"),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_round_absence_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_round_absence"),
    )
    op.create_index("ix_round_absence_student_id", "round_absence", ["student_id"], unique=False)
    op.create_index(
        "uq_round_absence_live",
        "round_absence",
        ["round_id", "student_id"],
        unique=True,
        sqlite_where=sa.text("voided_at IS NULL"),
        postgresql_where=sa.text("voided_at IS NULL"),
    )
    op.create_table(
        "correction",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", Id(), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["made_by"], ["staff.id"], name="fk_correction_made_by"),
        sa.PrimaryKeyConstraint("id", name="pk_correction"),
    )
    op.create_table(
        "witness",
        sa.Column("id", Id(), nullable=False),
        sa.Column("batch_id", Id(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name="fk_witness_batch_id"),
        sa.PrimaryKeyConstraint("id", name="pk_witness"),
    )
    op.create_index("ix_witness_batch_id", "witness", ["batch_id"], unique=False)
    op.create_index("ix_witness_digest", "witness", ["digest"], unique=False)
    op.create_table(
        "alert_extension",
        sa.Column("id", Id(), nullable=False),
        sa.Column("alert_id", Id(), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("batch_id", Id(), nullable=False),
        sa.Column("extended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stage_before", sa.String(12), nullable=False),
        sa.Column("due_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duties", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_alert_extension_alert_id"),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_alert_extension_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_alert_extension"),
    )
    op.create_index("ix_alert_extension_alert_id", "alert_extension", ["alert_id"], unique=False)
    op.create_index("ix_alert_extension_batch_id", "alert_extension", ["batch_id"], unique=False)
    op.add_column("alert", sa.Column("level_by_person", sa.String(8), nullable=True))
    op.add_column("import_batch", sa.Column("rolled_back_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("import_batch", sa.Column("rolled_back_by", Id(), nullable=True))
    op.add_column("import_batch", sa.Column("critical_due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("import_batch", sa.Column("rejected", sa.LargeBinary(), nullable=True))
    op.add_column("interview_entry", sa.Column("batch_id", Id(), nullable=True))
    op.add_column("interview_entry", sa.Column("voided_by", Id(), nullable=True))
    op.add_column("response_set", sa.Column("voided_by", Id(), nullable=True))
    op.add_column("response_set", sa.Column("coding", sa.String(length=16), nullable=True))
    op.add_column("response_set", sa.Column("norm", sa.String(length=24), nullable=True))
    op.add_column("response_set", sa.Column("validity", sa.String(12), server_default="unchecked", nullable=False))
    op.add_column("screening_round", sa.Column("scales", sa.Text(), server_default="[]", nullable=False))
    op.add_column("screening_round", sa.Column("cohort", sa.Text(), server_default="{}", nullable=False))
    op.add_column("screening_round", sa.Column("opens_on", sa.Date(), nullable=True))
    op.add_column("screening_round", sa.Column("closes_on", sa.Date(), nullable=True))
    op.add_column("screening_round", sa.Column("make_up_closes_on", sa.Date(), nullable=True))
    op.add_column("screening_round", sa.Column("repeat_rule", sa.String(16), server_default="first", nullable=False))
    op.add_column(
        "screening_round", sa.Column("commits_clean_files", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("signal", sa.Column("voided_by", Id(), nullable=True))
    op.add_column("signal", sa.Column("batch_id", Id(), nullable=True))
    op.create_index("ix_signal_batch_id", "signal", ["batch_id"], unique=False)
    add_reference("screening_round", "consent_id", "consent_text")


def downgrade() -> None:
    drop_reference("screening_round", "consent_id")
    op.drop_index("ix_signal_batch_id", table_name="signal")
    op.drop_column("signal", "batch_id")
    op.drop_column("signal", "voided_by")
    op.drop_column("screening_round", "commits_clean_files")
    op.drop_column("screening_round", "repeat_rule")
    op.drop_column("screening_round", "make_up_closes_on")
    op.drop_column("screening_round", "closes_on")
    op.drop_column("screening_round", "opens_on")
    op.drop_column("screening_round", "cohort")
    op.drop_column("screening_round", "scales")
    op.drop_column("response_set", "validity")
    op.drop_column("response_set", "norm")
    op.drop_column("response_set", "coding")
    op.drop_column("response_set", "voided_by")
    op.drop_column("interview_entry", "voided_by")
    op.drop_column("interview_entry", "batch_id")
    op.drop_column("import_batch", "rejected")
    op.drop_column("import_batch", "critical_due_at")
    op.drop_column("import_batch", "rolled_back_by")
    op.drop_column("import_batch", "rolled_back_at")
    op.drop_column("alert", "level_by_person")
    op.drop_table("alert_extension")
    op.drop_table("witness")
    op.drop_table("correction")
    op.drop_table("round_absence")
    op.drop_table("retest")
    op.drop_table("push")
    op.drop_table("inbox_file")
    op.drop_table("arrival")
    op.drop_table("student_tag")
    op.drop_table("structured_interview")
    op.drop_table("screening_source")
    op.drop_table("consent_text")
