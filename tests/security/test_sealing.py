"""Law 1, no plaintext without a purpose: canaries, and ciphertext that was moved, flipped or cut."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from app.cases import care, care_talk
from app.cli.screening import import_results
from app.risk import interview
from app.risk.hints import objection
from app.screening import retest, structured
from app.screening.sources import source
from app.security.access import Undecided
from app.security.policy import Permission, Purpose
from app.security.vault import Unreadable
from models.base import Base, new_id
from models.bulk import insert_many
from models.case import Case, CaseNote, NoteKind, TalkWay, Task, TaskKind
from models.correction import Correction, CorrectionKind
from models.identity import Role, Staff
from models.interview import InterviewEntry, InterviewStage
from models.moment import now, today
from models.registry import METADATA
from models.risk import Alert, Level
from models.risk_model import ModelObjection, ModelStage, ObjectionStage
from models.screening import ScreeningRound
from models.sealed import Sealed, SealedType, sealed_fields
from models.source import ScreeningSource, SourceKind
from models.student import Student, StudentNumber
from tests.house import HEADER, Client, House, xlsx
from tests.postgres import Postgres
from tests.risk.scores import trained

CANARY = "金丝雀"
TAGS = Path(__file__).with_name("sealed_tags.txt")


def test_the_frozen_tags_never_change_once_they_are_in_use() -> None:
    found = [f"{field.tag} {field.key_class} {field.owner_kind}" for field in sealed_fields(Base)]

    assert "\n".join(sorted(found)) + "\n" == TAGS.read_text(), "a tag may be added, never renamed or removed"


def _fill_every_sealed_field(house: House) -> None:
    """Put a canary into each sealed column of the house, by the acts that fill them."""
    _head, psychologist, other = house.make.team()
    group = house.make.class_group()
    advisor = house.make.advisor(group)
    number = f"{CANARY}号7788"
    student = house.make.student(group, name=f"{CANARY}名", number=number, phone="13811112222", 宿舍=f"{CANARY}栋")
    second = house.make.student(group, name=f"{CANARY}友")
    alert = house.make.alert(student)
    with advisor.under(Permission.CARE_TALK) as access:
        care_talk.record(
            access,
            access.find(Student, student.id),
            way=TalkWay.FACE,
            held_at=now(),
            reached=True,
            noticed=[],
            text=f"{CANARY}谈",
            urgency=care_talk.Urgency.NONE,
        )
    with psychologist.under(Permission.ALERT_TRIAGE) as access:
        access.seal(access.find(Alert, alert.id), Alert.basis, f"{CANARY}依据")
    case = house.make.case(psychologist, student, level=Level.ORANGE, text=f"{CANARY}评估")
    with psychologist.under(Permission.CASE_WORK) as access:
        row = access.find(Case, case.id)
        care.give_advice(access, row, focus=["sleep"], text=f"{CANARY}建议")
        task = care.add_task(access, row, kind=TaskKind.FOLLOW_UP, text=f"{CANARY}任务", due_on=today())
        care.end_task(access, task, done=True, text=f"{CANARY}结果")
        access.seal(row, Case.summary, f"{CANARY}小结")
    _import_with_canaries(house, second, psychologist)
    _push_a_canary(house)
    with psychologist.under(Permission.SCREENING_CORRECT) as access:
        correction = Correction(kind=CorrectionKind.REATTRIBUTED, made_at=now())
        access.seal(correction, Correction.reason, f"{CANARY}更正")
        access.session.add(correction)
    _let_a_model_speak(house, second, psychologist)
    psychologist.send("PUT", "/drafts/note", {"text": f"{CANARY}草稿"})
    house.make.person(Role.REGISTRAR).post(
        "/roster", kind="roster", upload=(xlsx(["学号"], [CANARY]), f"{CANARY}.xlsx")
    )
    with house.console(Permission.ACCOUNTS_MANAGE) as access:
        access.seal(access.session.get_one(Staff, other.id), Staff.phone, f"{CANARY}电话")


def _import_with_canaries(house: House, student: Student, psychologist: Client) -> None:
    """A screening that leaves a sheet, a list entry with an outcome, and an unplaced critical answer."""
    with house.console(Permission.ROSTER_IMPORT) as access:
        row = access.session.execute(
            select(StudentNumber.id.label("student_number_id"), StudentNumber.student_id, StudentNumber.number).where(
                StudentNumber.student_id == student.id
            )
        ).one()
        number = access.open(row, StudentNumber.number)
    positive = [2, 2, 2, 2, 2, 0, 0, 0, 0, *([0] * 7)]
    critical = [0] * 8 + [3] + [0] * 7
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{CANARY}结果.xlsx"
        path.write_bytes(
            xlsx(HEADER, [number, f"{CANARY}友", "", *positive], [f"{CANARY}无此人", CANARY, "", *critical])
        )
        import_results(house.door, path, round_name="普查", scales=("phq9", "gad7"))
    [(entry,)] = house.all(select(InterviewEntry))
    with psychologist.under(Permission.INTERVIEW_WORK) as access:
        held = access.find(InterviewEntry, entry.id)
        interview.take(access, held)
        interview.record(access, held, stage=InterviewStage.DONE, result=interview.Result.C, text=f"{CANARY}约谈")
    with psychologist.under(Permission.RETEST_WORK) as access:
        place = (entry.student_id.bytes, entry.college_id.bytes, entry.class_id.bytes)
        owner = access.session.get_one(ScreeningRound, entry.round_id)
        retest.ask(access, owner, None, [place], [{CANARY: ["too_fast"]}])
    with psychologist.under(Permission.STRUCTURED_INTERVIEW) as access:
        answers = {1: "no", 2: "no", 6: "no"}
        about = access.find(Student, entry.student_id)
        structured.hold(access, about, answers=answers, held_at=now(), text=f"{CANARY}访谈")


def _let_a_model_speak(house: House, student: Student, psychologist: Client) -> None:
    """A model's file, what a model said of the student, an objection to it and its review."""
    trained.shelve(house, stage=ModelStage.TRAINED, raw=CANARY.encode())
    trained.shelve(house)
    trained.score_round(house, trained.the_round(house))
    with psychologist.under(Permission.OBJECTION_RECORD) as access:
        objection.raise_for(access, access.find(Student, student.id), text=f"{CANARY}异议")
    [(row,)] = house.all(select(ModelObjection))
    with psychologist.under(Permission.OBJECTION_WORK) as access:
        held = access.find(ModelObjection, row.id)
        said = {"found": f"{CANARY}复核", "told": f"{CANARY}告知", "told_on": today(), "told_how": TalkWay.FACE}
        objection.decide(access, held, stage=ObjectionStage.EXPLAINED, **said)


def _push_a_canary(house: House) -> None:
    """A source with a key, and an answer sheet that was pushed to it."""
    with house.console(Permission.SOURCE_MANAGE, Purpose.CARE) as access:
        round_id, owner = access.session.execute(select(ScreeningRound.id, ScreeningRound.owner_id)).one()
        row, _ = source.open_source(access, name="平台", kind=SourceKind.PUSH, owner_id=owner, round_id=round_id)
        access.seal(row, ScreeningSource.push_key, CANARY)
    sheet = {"activity": "1", "index": "1", "sojumpparm": CANARY}
    sheet["sign"] = hashlib.sha1(f"11{CANARY}".encode()).hexdigest()
    answer = house.anonymous().post(f"/push/{row.id}", json=sheet)
    assert answer.get_json() == {"result": "accepted"}


def _bytes_of(house: House, postgres: Postgres | None) -> dict[str, bytes]:
    """Everything that lies on disk: database, WAL, queue file, temporary files, anchors."""
    found = {}
    roots = [house.door.settings.home, Path(tempfile.gettempdir())]
    for root in roots:
        for path in root.rglob("*") if root == roots[0] else root.glob("tmp*"):
            if path.is_file() and "keys" not in path.parts:
                found[str(path)] = path.read_bytes()
    if postgres is not None:
        url = house.door.settings.owner_database_url.replace("+psycopg", "")
        done = subprocess.run([postgres.bin / "pg_dump", "--dbname", url], capture_output=True, check=True)
        found["pg_dump"] = done.stdout
    return found


def test_no_canary_is_found_in_database_wal_temporary_files_or_output(
    house: House, backend: str, request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]
) -> None:
    _fill_every_sealed_field(house)

    stored = _bytes_of(house, request.getfixturevalue("postgres") if backend == "postgresql" else None)

    filled = _filled_fields(house)
    assert filled == {field.tag for field in sealed_fields(Base)}, "a sealed field was not tried"
    raw, hexed = CANARY.encode(), CANARY.encode().hex().encode()
    escaped = CANARY.encode("unicode_escape")
    leaks = [name for name, held in stored.items() if raw in held or hexed in held or escaped in held]
    assert leaks == []
    assert "13811112222" not in "".join(name for name, held in stored.items() if b"13811112222" in held)
    out, err = capfd.readouterr()
    assert CANARY not in out + err


def _filled_fields(house: House) -> set[str]:
    """Tags of the sealed columns that hold something."""
    with house.session() as session:
        return {
            field.tag
            for field in sealed_fields(Base)
            if session.execute(
                select(getattr(field.model, field.name)).where(getattr(field.model, field.name).is_not(None)).limit(1)
            ).first()
        }


def test_a_failing_page_tells_neither_reader_nor_log_what_it_was_about(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    house.make.team()
    group = house.make.class_group()
    advisor = house.make.advisor(group)
    student = house.make.student(group, name=f"{CANARY}名")
    with house.door.database.writing() as session:
        session.execute(text("UPDATE student SET name = :cut"), {"cut": b"\x01\x00\x01" + bytes(40)})

    page = advisor.get(f"/students/{student.id}")

    assert page.status == 500
    out, err = capfd.readouterr()
    assert "Unreadable" in out + err
    for words in (CANARY, str(student.id), student.id.hex):
        assert words not in out + err


# --- ciphertext that was tampered with ------------------------------------------------------------


def _note(house: House) -> tuple[Client, CaseNote]:
    _, psychologist, _ = house.make.team()
    case = house.make.case(psychologist, house.make.student(), text="只有主责能看")
    [(note,)] = house.all(select(CaseNote).where(CaseNote.case_id == case.id))
    return psychologist, note


def _opened(house: House, keeper: Client, note: CaseNote) -> str:
    with keeper.under(Permission.CASE_WORK, writing=False) as access:
        access.find(Case, note.case_id)
        return access.open(access.session.get(CaseNote, note.id), CaseNote.body)


def _put(house: House, note: CaseNote, ciphertext: bytes) -> None:
    with house.door.database.writing() as session:
        session.execute(
            text("UPDATE case_note SET body = :body WHERE id = :id"),
            {"body": ciphertext, "id": note.id.bytes if house.door.database.is_sqlite else note.id},
        )


def _body(house: House, note: CaseNote) -> bytes:
    [(sealed,)] = house.all(select(CaseNote.body).where(CaseNote.id == note.id))
    return sealed.ciphertext


@pytest.mark.parametrize("place", [0, 1, 2, 5, 20, -1])
def test_a_flipped_bit_anywhere_does_not_open(house: House, place: int) -> None:
    keeper, note = _note(house)
    raw = bytearray(_body(house, note))
    raw[place] ^= 1
    _put(house, note, bytes(raw))

    with pytest.raises(Unreadable):
        _opened(house, keeper, note)


@pytest.mark.parametrize("length", [0, 1, 3, 15, 30, 31, -1])
def test_a_cut_ciphertext_does_not_open(house: House, length: int) -> None:
    keeper, note = _note(house)
    _put(house, note, _body(house, note)[:length])

    with pytest.raises(Unreadable):
        _opened(house, keeper, note)


def test_a_ciphertext_moved_to_another_row_of_the_same_student_does_not_open(house: House) -> None:
    keeper, note = _note(house)
    with keeper.under(Permission.CASE_WORK) as access:
        case = access.find(Case, note.case_id)
        other = care.write_note(access, case, kind=NoteKind.SESSION, text="第二条", next_on=None)
        other_id = other.id
    other = CaseNote(id=other_id, case_id=note.case_id, student_id=note.student_id)
    _put(house, other, _body(house, note))

    with pytest.raises(Unreadable):
        _opened(house, keeper, other)


def test_a_ciphertext_moved_to_another_column_does_not_open(house: House) -> None:
    keeper, note = _note(house)
    with keeper.under(Permission.CASE_WORK) as access:
        case = access.find(Case, note.case_id)
        task = care.add_task(access, case, kind=TaskKind.FOLLOW_UP, text="任务", due_on=today())
        task_id = task.id
    swap = text("UPDATE task SET outcome = body WHERE id = :id")
    with house.door.database.writing() as session:
        session.execute(swap, {"id": task_id.bytes if house.door.database.is_sqlite else task_id})

    with pytest.raises(Unreadable), keeper.under(Permission.TASK_WORK, writing=False) as access:
        access.open(access.find(Task, task_id), Task.outcome)


def test_a_database_under_another_installations_keys_opens_nothing(house: House) -> None:
    keeper, note = _note(house)
    house.door.keyring.epochs.clear()  # type: ignore[union-attr]

    with pytest.raises(Unreadable):
        _opened(house, keeper, note)


def test_without_content_keys_nothing_opens_and_clocks_go_on(house: House) -> None:
    keeper, note = _note(house)
    house.door.keyring = None

    page = keeper.get(f"/cases/{note.case_id}")

    assert page.status == 503
    assert "封存" in page
    assert house.work() >= 1


# --- the type itself ----------------------------------------------------------------------------------


def test_a_sealed_value_prints_formats_and_travels_as_nothing() -> None:
    value = Sealed(b"\x01\x00\x01" + os.urandom(40))

    assert (str(value), repr(value), f"{value}", f"{value!r}") == ("<sealed>",) * 4
    with pytest.raises(TypeError):
        pickle.dumps(value)


@pytest.mark.parametrize("plain", ["明文", b"plain", 5, Sealed(b"short")])
def test_plain_text_never_reaches_a_sealed_column(house: House, plain: object) -> None:
    note = METADATA.tables["case_note"]
    values = {
        "id": new_id(),
        "case_id": new_id(),
        "student_id": new_id(),
        "author_id": new_id(),
        "kind": "session",
        "written_at": now(),
        "body": plain,
    }

    with house.session() as session, pytest.raises(Exception, match="sealed"):
        session.execute(insert(note).values(values))


def test_the_bulk_path_checks_every_value_of_a_sealed_column(house: House) -> None:
    good = Sealed(b"\x01\x00\x01" + os.urandom(40))
    columns = {
        "id": [new_id(), new_id()],
        "student_id": [new_id(), new_id()],
        "kind": ["student_number"] * 2,
        "index": [b"1" * 16, b"2" * 16],
        "since": [today()] * 2,
        "number": [good, b"plain"],
    }

    with house.door.database.writing() as session, pytest.raises(TypeError, match="sealed"):
        insert_many(session, METADATA.tables["student_number"], columns)


def test_a_sealed_attribute_that_was_not_asked_for_does_not_load_by_itself(house: House) -> None:
    _keeper, note = _note(house)

    with house.session() as session, pytest.raises(Exception, match="raiseload"):
        _ = session.get(CaseNote, note.id).body


def test_every_sealed_table_says_whose_key_seals_it() -> None:
    for field in sealed_fields(Base):
        column = METADATA.tables[field.model.__tablename__].c[field.owner_column]
        assert not column.nullable, field.tag


def test_no_plain_column_looks_like_content() -> None:
    """What a stolen database shows is stated in the README; free text lives in sealed columns only."""
    open_text = {
        f"{table.name}.{column.name}"
        for table in METADATA.tables.values()
        for column in table.c
        if type(column.type).__name__ in {"Text", "String"} and not isinstance(column.type, SealedType)
    }

    assert open_text == {
        "alert_extension.duties",
        "approval.what",
        "arrival.waits_for",
        "class_alias.alias",
        "class_group.grade",
        "class_group.name",
        "college.name",
        "consent_text.body",
        "consent_text.name",
        "data_key.owner_kind",
        "data_use.assessment",
        "data_use.domain",
        "data_use.legal_basis",
        "data_use.off_because",
        "data_use.purpose",
        "deployment.school",
        "draft.form",
        "duty.rule_version",
        "former_status.status",
        "interview_entry.basis",
        "interview_entry.rule_version",
        "job.arguments",
        "job.effect_key",
        "job.error",
        "job.kind",
        "job.lease_by",
        "ledger_entry.act",
        "ledger_entry.outcome",
        "ledger_entry.purpose",
        "ledger_entry.role",
        "model_move.cause",
        "model_move.reason",
        "model_training.because",
        "model_training.purpose",
        "model_training.said",
        "notice.kind",
        "response_set.coding",
        "response_set.engine_version",
        "response_set.norm",
        "response_set.scale",
        "response_set.scale_version",
        "risk_model.card",
        "risk_model.features",
        "risk_model.procedure",
        "risk_model.purpose",
        "risk_model.retired_because",
        "risk_model.rules_version",
        "risk_model.watched",
        "risk_model.without",
        "risk_score.rules_version",
        "rule_override.name",
        "rule_override.value",
        "screening_round.cohort",
        "screening_round.name",
        "screening_round.scales",
        "screening_source.folder",
        "screening_source.mapping",
        "screening_source.name",
        "signal.rule_version",
        "signal.source_kind",
        "signal.void_cause",
        "staff.login",
        "staff.name",
        "staff.password_hash",
        "staff.staff_number",
        "structured_interview.scale",
        "structured_interview.scale_version",
        "student.status",
        "student_tag.tag",
        "unplaced_answer.rule_version",
    }


def test_opening_a_field_the_policy_does_not_list_is_a_bug_and_opens_nothing(house: House) -> None:
    keeper, note = _note(house)

    with pytest.raises(Undecided), keeper.under(Permission.CASE_READ, writing=False) as access:
        access.find(Case, note.case_id)
        access.open(access.session.get(CaseNote, note.id), CaseNote.body)


def test_a_row_that_no_rule_reached_does_not_open_even_if_the_code_has_it(house: House) -> None:
    house.make.team()
    mine, foreign = house.make.class_group(), house.make.class_group()
    advisor = house.make.advisor(mine)
    student = house.make.student(foreign)

    with pytest.raises(Undecided), advisor.under(Permission.STUDENT_READ, writing=False) as access:
        access.open(access.session.get(Student, student.id), Student.name)
