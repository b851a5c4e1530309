"""The loop: captures by file, labels, checks, alarms, retrains."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "capture_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("first_received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_event_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_event_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_capture_file_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capture_file")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_capture_file_project_id_name")),
    )
    op.create_index("ix_capture_file_project_id_id", "capture_file", ["project_id", "id"], unique=False)
    op.create_table(
        "label_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_label_file_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_file")),
        sa.UniqueConstraint("job_id", name=op.f("uq_label_file_job_id")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_label_file_project_id_name")),
    )
    op.create_index("ix_label_file_project_id_id", "label_file", ["project_id", "id"], unique=False)
    op.create_table(
        "label_summary",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("until_label_file", sa.Integer(), nullable=False),
        sa.Column("until_capture_file", sa.Integer(), nullable=False),
        sa.Column("captured", sa.Integer(), nullable=False),
        sa.Column("labelled", sa.Integer(), nullable=False),
        sa.Column("buckets", sa.JSON(), nullable=False),
        sa.Column("mature_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_label_summary_project_id_project")),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_label_summary")),
    )
    op.create_table(
        "performance_window",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("labelled", sa.Integer(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("lower", sa.Float(), nullable=True),
        sa.Column("upper", sa.Float(), nullable=True),
        sa.Column("se", sa.Float(), nullable=True),
        sa.Column("mature", sa.Boolean(), nullable=False),
        sa.Column("tested", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_performance_window_project_id_project")),
        sa.PrimaryKeyConstraint("project_id", "version", "starts_at", name=op.f("pk_performance_window")),
    )
    op.create_table(
        "model_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("after_file", sa.Integer(), nullable=False),
        sa.Column("until_file", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drifted", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("threshold", sa.JSON(), nullable=False),
        sa.Column("figures_sha256", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_model_check_project_id_project")),
        sa.ForeignKeyConstraint(["version_id"], ["version.id"], name=op.f("fk_model_check_version_id_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_check")),
        sa.UniqueConstraint("job_id", name=op.f("uq_model_check_job_id")),
    )
    op.create_index("ix_model_check_project_id_id", "model_check", ["project_id", "id"], unique=False)
    op.create_table(
        "alarm",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=True),
        sa.Column("changed_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("times_seen", sa.Integer(), nullable=False),
        sa.Column("calm_checks", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.String(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["check_id"], ["model_check.id"], name=op.f("fk_alarm_check_id_model_check")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_alarm_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
    )
    op.create_index("ix_alarm_status_id", "alarm", ["status", "id"], unique=False)
    op.create_index(
        "uq_alarm_project_id_kind_unended",
        "alarm",
        ["project_id", "kind"],
        unique=True,
        sqlite_where=sa.text("status != 'closed'"),
        postgresql_where=sa.text("status != 'closed'"),
    )
    op.create_table(
        "check_figure",
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("column", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("drifted", sa.Boolean(), nullable=False),
        sa.Column("distance", sa.Float(), nullable=True),
        sa.Column("p_value", sa.Float(), nullable=True),
        sa.Column("psi", sa.Float(), nullable=True),
        sa.Column("wasserstein", sa.Float(), nullable=True),
        sa.Column("null_share", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["check_id"], ["model_check.id"], name=op.f("fk_check_figure_check_id_model_check")),
        sa.PrimaryKeyConstraint("check_id", "column", name=op.f("pk_check_figure")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "retrain",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("cause_key", sa.String(), nullable=False),
        sa.Column("trigger", sa.String(), nullable=False),
        sa.Column("alarm_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("judge_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rows_needed", sa.Integer(), nullable=False),
        sa.Column("rows_there", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["alarm_id"], ["alarm.id"], name=op.f("fk_retrain_alarm_id_alarm")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_retrain_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retrain")),
        sa.UniqueConstraint("cause_key", name=op.f("uq_retrain_cause_key")),
    )
    op.create_index("ix_retrain_project_id_id", "retrain", ["project_id", "id"], unique=False)

    # NOT NULL in a table with rows needs a default to begin with; the tables themselves have none.
    with op.batch_alter_table("deployment", recreate="always") as batch:
        batch.add_column(
            sa.Column("runtime_reason", sa.String(), nullable=False, server_default=""), insert_after="runtime"
        )
    with op.batch_alter_table("deployment", recreate="always") as batch:
        batch.alter_column("runtime_reason", server_default=None)
    with op.batch_alter_table("replica", recreate="always") as batch:
        batch.add_column(sa.Column("image", sa.String(), nullable=True), insert_after="container")
    with op.batch_alter_table("schedule", recreate="always") as batch:
        batch.add_column(sa.Column("key", sa.String(), nullable=True), insert_after="every")
    with op.batch_alter_table("version", recreate="always") as batch:
        batch.add_column(sa.Column("predictions", sa.JSON(), nullable=True), insert_after="trained_until")
        batch.add_column(sa.Column("newest_sha256", sa.String(), nullable=True), insert_after="predictions")


def downgrade() -> None:
    raise NotImplementedError("put the copy from before the migration back")
