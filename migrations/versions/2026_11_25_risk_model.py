"""The risk model: its editions, scores, objections, the data-use register; what put a student on a list and in which order."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Id

revision: str = "2026_11_25_risk_model"
down_revision: str | None = "2026_11_25_screening_in_full"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "data_use",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("domain", sa.String(length=32), nullable=False),
        sa.Column("stage", sa.String(12), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("legal_basis", sa.String(length=24), nullable=False),
        sa.Column("assessment", sa.Text(), nullable=False),
        sa.Column("asked_by", Id(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approval_id", Id(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("switched_off_by", Id(), nullable=True),
        sa.Column("off_because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["approval_id"], ["approval.id"], name="fk_data_use_approval_id"),
        sa.ForeignKeyConstraint(["asked_by"], ["staff.id"], name="fk_data_use_asked_by"),
        sa.ForeignKeyConstraint(["switched_off_by"], ["staff.id"], name="fk_data_use_switched_off_by"),
        sa.PrimaryKeyConstraint("id", name="pk_data_use"),
    )
    op.create_index(
        "uq_data_use_live",
        "data_use",
        ["domain"],
        unique=True,
        sqlite_where=sa.text("stage IN ('asked', 'in_force')"),
        postgresql_where=sa.text("stage IN ('asked', 'in_force')"),
    )
    op.create_table(
        "model_objection",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("stage", sa.String(12), nullable=False),
        sa.Column("owner_id", Id(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_by", Id(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", Id(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["decided_by"], ["staff.id"], name="fk_model_objection_decided_by"),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name="fk_model_objection_owner_id"),
        sa.ForeignKeyConstraint(["raised_by"], ["staff.id"], name="fk_model_objection_raised_by"),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_model_objection_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_model_objection"),
    )
    op.create_index("ix_model_objection_owner_id", "model_objection", ["owner_id"], unique=False)
    op.create_index("ix_model_objection_student_id", "model_objection", ["student_id"], unique=False)
    op.create_table(
        "risk_model",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=24), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(12), nullable=False),
        sa.Column("owner_id", Id(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trained_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trained_by", Id(), nullable=True),
        sa.Column("trained_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("procedure", sa.String(length=24), nullable=False),
        sa.Column("rules_version", sa.String(length=64), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("positives", sa.Integer(), nullable=False),
        sa.Column("features", sa.Text(), nullable=False),
        sa.Column("without", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("watched", sa.Text(), nullable=True),
        sa.Column("shadow_round_id", Id(), nullable=True),
        sa.Column("shadow_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approval_id", Id(), nullable=True),
        sa.Column("active_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_because", sa.String(length=24), nullable=True),
        sa.Column("file", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["approval_id"], ["approval.id"], name="fk_risk_model_approval_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name="fk_risk_model_owner_id"),
        sa.ForeignKeyConstraint(["shadow_round_id"], ["screening_round.id"], name="fk_risk_model_shadow_round_id"),
        sa.ForeignKeyConstraint(["trained_by"], ["staff.id"], name="fk_risk_model_trained_by"),
        sa.PrimaryKeyConstraint("id", name="pk_risk_model"),
    )
    op.create_index(
        "uq_risk_model_active",
        "risk_model",
        ["purpose"],
        unique=True,
        sqlite_where=sa.text("stage = 'active'"),
        postgresql_where=sa.text("stage = 'active'"),
    )
    op.create_index("uq_risk_model_edition", "risk_model", ["purpose", "edition"], unique=True)
    op.create_table(
        "risk_score",
        sa.Column("id", Id(), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("round_id", Id(), nullable=True),
        sa.Column("model_id", Id(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shadow", sa.Boolean(), nullable=False),
        sa.Column("rules_version", sa.String(length=64), nullable=False),
        sa.Column("inputs", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["risk_model.id"], name="fk_risk_score_model_id"),
        sa.ForeignKeyConstraint(["round_id"], ["screening_round.id"], name="fk_risk_score_round_id"),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_risk_score_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_risk_score"),
    )
    op.create_index("ix_risk_score_model_id", "risk_score", ["model_id"], unique=False)
    op.create_index("ix_risk_score_round_id_model_id", "risk_score", ["round_id", "model_id"], unique=False)
    op.create_index("ix_risk_score_student_id_scored_at", "risk_score", ["student_id", "scored_at"], unique=False)
    op.create_table(
        "model_move",
        sa.Column("id", Id(), nullable=False),
        sa.Column("model_id", Id(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", Id(), nullable=True),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("before", sa.String(12), nullable=True),
        sa.Column("after", sa.String(12), nullable=False),
        sa.Column("cause", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name="fk_model_move_by"),
        sa.ForeignKeyConstraint(["model_id"], ["risk_model.id"], name="fk_model_move_model_id"),
        sa.PrimaryKeyConstraint("id", name="pk_model_move"),
    )
    op.create_index("ix_model_move_model_id", "model_move", ["model_id"], unique=False)
    op.create_table(
        "model_training",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=24), nullable=False),
        sa.Column("stage", sa.String(12), nullable=False),
        sa.Column("because", sa.String(length=24), nullable=False),
        sa.Column("asked_by", Id(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("progress_total", sa.Integer(), nullable=False),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("model_id", Id(), nullable=True),
        sa.ForeignKeyConstraint(["asked_by"], ["staff.id"], name="fk_model_training_asked_by"),
        sa.ForeignKeyConstraint(["model_id"], ["risk_model.id"], name="fk_model_training_model_id"),
        sa.PrimaryKeyConstraint("id", name="pk_model_training"),
    )
    op.create_index(
        "uq_model_training_asked",
        "model_training",
        ["purpose"],
        unique=True,
        sqlite_where=sa.text("stage = 'asked'"),
        postgresql_where=sa.text("stage = 'asked'"),
    )
    op.create_table(
        "former_status",
        sa.Column("id", Id(), nullable=False),
        sa.Column("student_id", Id(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_former_status_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_former_status"),
    )
    op.create_index("ix_former_status_student_id", "former_status", ["student_id"], unique=False)
    op.add_column("student", sa.Column("status_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("interview_entry", sa.Column("origin", sa.String(8), server_default="rules", nullable=False))
    op.add_column("interview_entry", sa.Column("place", sa.Integer(), nullable=True))
    op.add_column("interview_entry", sa.Column("share", sa.Double(), nullable=True))
    op.add_column("interview_entry", sa.Column("basis", sa.String(length=24), nullable=True))
    op.add_column("screening_round", sa.Column("interviews_per_week", sa.Integer(), nullable=True))
    op.add_column("screening_round", sa.Column("audit_share", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("screening_round", "audit_share")
    op.drop_column("screening_round", "interviews_per_week")
    op.drop_column("interview_entry", "basis")
    op.drop_column("interview_entry", "share")
    op.drop_column("interview_entry", "place")
    op.drop_column("interview_entry", "origin")
    op.drop_column("student", "status_since")
    op.drop_index("ix_former_status_student_id", table_name="former_status")
    op.drop_table("former_status")
    op.drop_index("uq_model_training_asked", table_name="model_training")
    op.drop_table("model_training")
    op.drop_index("ix_model_move_model_id", table_name="model_move")
    op.drop_table("model_move")
    op.drop_index("ix_risk_score_student_id_scored_at", table_name="risk_score")
    op.drop_index("ix_risk_score_round_id_model_id", table_name="risk_score")
    op.drop_index("ix_risk_score_model_id", table_name="risk_score")
    op.drop_table("risk_score")
    op.drop_index("uq_risk_model_edition", table_name="risk_model")
    op.drop_index("uq_risk_model_active", table_name="risk_model")
    op.drop_table("risk_model")
    op.drop_index("ix_model_objection_student_id", table_name="model_objection")
    op.drop_index("ix_model_objection_owner_id", table_name="model_objection")
    op.drop_table("model_objection")
    op.drop_index("uq_data_use_live", table_name="data_use")
    op.drop_table("data_use")
