"""Rosters as schools really export them: OneRoster in its versions and variants, Apple's six files."""

import io
import os
import zipfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from edge_agent.identity.roster import Roster
from edge_agent.identity.roster_file import load_roster
from edge_agent.identity.tables import Refused
from shared.errors import SettingsError

Files = Mapping[str, str | bytes]

BASE: dict[str, str | bytes] = {
    "users.csv": "sourcedId,status,username,role,givenName,familyName\n"
    "u1,,anna,student,Anna,A\nu2,,ben,student,Ben,B\nt1,,tess,teacher,Tess,T\n",
    "classes.csv": "sourcedId,status,title,grades,location,termSourcedIds,subjects,periods\n"
    'c1,,5b,"05,06",R1,term1,Maths,"1,3"\n',
    "enrollments.csv": "sourcedId,status,classSourcedId,userSourcedId,role\n"
    "e1,,c1,u1,student\ne2,,c1,u2,student\ne3,,c1,t1,teacher\n",
}
APPLE: dict[str, str | bytes] = {
    "students.csv": "person_id,person_number,first_name,middle_name,last_name,grade_level,email_address,"
    "sis_username,password_policy,location_id\n"
    "P1,49,Eliza,M,Block,9,eb@school.example,eblock,6,L1\n"
    "P2,50,Kai,,Lopez,9,kai@school.example,,6,L1\n",
    "staff.csv": "person_id,person_number,first_name,middle_name,last_name,email_address,sis_username,"
    "location_id\nS1,49,Ada,,Day,ada@school.example,aday,L1\n"
    "S2,2,Bo,,Day,bo@school.example,boday,L1\n",
    "courses.csv": "course_id,course_number,course_name,location_id\nK1,ALG,Algebra I,L1\n",
    "classes.csv": "class_id,class_number,course_id,instructor_id,instructor_id_2,instructor_id_3,"
    "location_id\n"
    "C1,101,K1,S1,S2,,L1\n",
    "rosters.csv": "roster_id,class_id,student_id\nR1,C1,P1\nR2,C1,P2\n",
    "locations.csv": "location_id,location_name\nL1,Hillside\n",
}


def folder(root: Path, files: Files) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def zipped(path: Path, files: Files) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def read(path: Path, **wanted: str) -> Roster:
    refused = Refused()
    found = load_roster(path, refused, **wanted)
    assert not refused.rows
    return found


def counted(path: Path) -> tuple[Roster, dict[str, int]]:
    refused = Refused()
    return load_roster(path, refused), refused.counts()


def changed(**files: str | bytes) -> dict[str, str | bytes]:
    return BASE | {f"{name}.csv": content for name, content in files.items()}


def test_a_folder_and_a_zip_of_the_same_files_are_the_same_roster(tmp_path: Path) -> None:
    found = read(folder(tmp_path / "a", BASE))
    assert found == read(zipped(tmp_path / "b.zip", BASE))
    assert found == read(zipped(tmp_path / "c.zip", {f"export/{name}": text for name, text in BASE.items()}))
    assert found == read(zipped(tmp_path / "d" / "export.zip", BASE).parent)
    (item,) = found.classes.values()
    assert item.learners == {"anna", "ben"} and item.teachers == found.staff == {"tess"}
    assert (item.grade_band, item.room, item.periods) == ("mixed", "R1", ("1", "3"))


def test_names_of_persons_are_read_from_no_column(tmp_path: Path) -> None:
    assert "Anna" not in repr(read(folder(tmp_path / "a", BASE)))
    assert not {"Eliza", "Block", "Day"} & {*repr(read(folder(tmp_path / "b", APPLE))).split("'")}


@pytest.mark.parametrize(
    "users",
    [
        "ROLE,UserName,sourcedid\nstudent,anna,u1\nStudent,ben,u2\nTEACHER,tess,t1\n",
        "sourcedId;username;role\nu1;anna;student\nu2;ben;student\nt1;tess;teacher\n",
        "\ufeffsourcedId,username,role\r\nu1,anna,student\r\nu2,ben,student\r\nt1,tess,teacher\r\n",
        '"sourcedId","username","role"\n"u1","anna","student"\n"u2","ben","student"\n"t1","tess","teacher"\n,,\n',
    ],
)
def test_columns_in_any_order_case_and_separation_are_read(tmp_path: Path, users: str) -> None:
    assert read(folder(tmp_path / "a", changed(users=users))) == read(folder(tmp_path / "b", BASE))


def test_a_row_with_one_bad_byte_is_refused_and_the_others_stay(tmp_path: Path) -> None:
    users = "sourcedId,username,role\nu1,ännä,student\nu2,ben,student\n".encode()
    users += b"u3,b\xffd,student\nt1,tess,teacher\n"
    found, refused = counted(folder(tmp_path / "a", changed(users=users)))
    assert refused == {"users.csv: not UTF-8": 1}
    assert found.classes["c1"].learners == {"ännä", "ben"}


def test_an_export_in_windows_1252_is_read(tmp_path: Path) -> None:
    users = "sourcedId,username,role\nu1,zoë,student\nu2,ben,student\nt1,tess,teacher\n".encode("cp1252")
    assert read(folder(tmp_path / "a", changed(users=users))).classes["c1"].learners == {"zoë", "ben"}


def test_what_excel_saves_as_unicode_text_is_read(tmp_path: Path) -> None:
    users = "sep=\t\nsourcedId\tusername\trole\nu1\tzoë\tstudent\nu2\tben\tstudent\nt1\ttess\tteacher\n"
    found = read(folder(tmp_path / "a", changed(users=users.encode("utf-16"))))
    assert found.classes["c1"].learners == {"zoë", "ben"}


def test_a_header_beyond_any_length_is_one_line_that_names_the_column(tmp_path: Path) -> None:
    users = "sourcedId,username,role" + "x" * 200_000 + "\nu1,anna,student\n"
    with pytest.raises(SettingsError, match="no column `sourcedId`"):
        read(folder(tmp_path / "a", changed(users=users)))


def test_a_quotation_mark_that_is_never_closed_costs_one_row(tmp_path: Path) -> None:
    users = (
        'sourcedId,username,role\nu1,"anna,student\nu2,ben,student\nt1,tess,teacher\nu9,"a ""b""",student\n'
    )
    found, refused = counted(folder(tmp_path / "a", changed(users=users)))
    assert refused == {
        "users.csv: a quotation mark that is not closed": 1,
        "enrollments.csv: unknown user": 1,
    }
    assert found.classes["c1"].learners == {"ben"}


def test_optional_columns_and_files_may_be_missing(tmp_path: Path) -> None:
    found = read(folder(tmp_path / "a", changed(classes="sourcedId\nc1\n")))
    item = found.classes["c1"]
    assert (item.periods, item.room, item.subject, item.grade_band) == ((), "", "Other", "other")


def test_in_version_1_2_roles_have_a_file_of_their_own(tmp_path: Path) -> None:
    users = "sourcedId,username,givenName\nu1,anna,A\nu2,ben,B\nt1,tess,T\n"
    roles = "sourcedId,userSourcedId,roleType,role,orgSourcedId\nr1,u1,primary,student,o\n"
    roles += "r2,u2,primary,student,o\nr3,t1,primary,teacher,o\nr4,t1,secondary,systemAdministrator,o\n"
    assert read(folder(tmp_path / "a", changed(users=users, roles=roles))) == read(
        folder(tmp_path / "b", BASE)
    )


def test_without_roles_people_are_what_they_are_enrolled_as_and_strangers_are_let_alone(
    tmp_path: Path,
) -> None:
    users = "sourcedId,username\nu1,anna\nu2,ben\nt1,tess\nx1,xavier\n"
    assert read(folder(tmp_path / "a", changed(users=users))).staff == {"tess", "xavier"}


def test_what_is_deleted_in_a_row_is_not_there(tmp_path: Path) -> None:
    rows = "sourcedId,status,classSourcedId,userSourcedId,role\ne1,active,c1,u1,student\n"
    rows += "e2,ToBeDeleted,c1,u2,student\n"
    assert read(folder(tmp_path / "a", changed(enrollments=rows))).classes["c1"].learners == {"anna"}


def test_an_enrolment_counts_from_its_first_day_to_the_day_before_its_end(tmp_path: Path) -> None:
    rows = "sourcedId,classSourcedId,userSourcedId,role,beginDate,endDate\n"
    rows += "e1,c1,u1,student,2026-09-14,2026-09-16\ne2,c1,u2,student,,\ne3,c1,t1,teacher,soon,\n"
    found, refused = counted(folder(tmp_path / "a", changed(enrollments=rows)))
    item = found.classes["c1"]
    there = [sorted(item.on(date(2026, 9, day)).learners) for day in (13, 14, 15, 16)]
    assert there == [["ben"], ["anna", "ben"], ["anna", "ben"], ["ben"]]
    assert refused == {"enrollments.csv: unreadable date": 1}


def test_subjects_and_grades_come_from_the_course_or_the_learners_where_the_class_has_none(
    tmp_path: Path,
) -> None:
    files = changed(
        classes="sourcedId,title,courseSourcedId\nc1,x,k1\nc2,x,k2\n",
        courses="sourcedId,title,grades,subjectCodes\nk1,Beginners,07,\nk2,Beginners,,03001\n",
        users="sourcedId,username,role,grades\nu1,anna,student,05\nt1,tess,teacher,\n",
        enrollments="classSourcedId,userSourcedId,role\nc2,u1,student\n",
    )
    found = read(folder(tmp_path / "a", files)).classes
    assert (found["c1"].grade_band, found["c2"].grade_band, found["c2"].subject) == ("6-8", "3-5", "Science")


def delta(*rows: str) -> dict[str, str]:
    head = "sourcedId,status,classSourcedId,userSourcedId,role"
    manifest = "propertyName,value\noneroster.version,1.1\nfile.users,absent\nfile.classes,absent\n"
    return {
        "manifest.csv": manifest + "file.enrollments,delta\n",
        "enrollments.csv": "\n".join([head, *rows]),
        "users.csv": "not to be read",
    }


def test_changes_are_applied_onto_the_last_whole_export_in_the_order_of_their_dates(tmp_path: Path) -> None:
    root = folder(tmp_path / "a", BASE)
    zipped(root / "delta_2026-09-20.zip", delta("e2,tobedeleted,c1,u2,student"))
    zipped(root / "delta_2026-09-11.zip", delta("e2,active,c1,u2,student", "e1,tobedeleted,c1,u1,student"))
    zipped(root / "delta_2026-09-21.zip", delta("e9,active,c1,u1,student"))
    assert read(root).classes["c1"].learners == {"anna"}


def test_a_whole_export_takes_the_place_of_everything_before_it(tmp_path: Path) -> None:
    root = tmp_path / "a"
    zipped(root / "2026-09-01.zip", changed(enrollments="classSourcedId,userSourcedId,role\n"))
    zipped(root / "2026-09-02_delta.zip", delta("e1,active,c1,u1,student"))
    zipped(root / "2026-09-03.zip", BASE)
    assert read(root) == read(folder(tmp_path / "b", BASE))


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ("propertyName,value\nfile.users,absent\n", "users.csv is missing"),
        ("propertyName,value\nfile.users,some\n", "bulk, delta or absent"),
        ("propertyName,value\nfile.orgs,bulk\n", "it is not: export again"),
    ],
)
def test_the_manifest_is_believed(tmp_path: Path, manifest: str, says: str) -> None:
    files = {
        name: text
        for name, text in changed(manifest=manifest).items()
        if "absent" not in manifest or name != "users.csv"
    }
    with pytest.raises(SettingsError, match=says):
        load_roster(folder(tmp_path / "a", files), Refused())


TWO_SCHOOLS = changed(
    orgs="sourcedId,name,type\no1,Hillside,school\no2,Riverbend,school\nd,District,district\n",
    classes="sourcedId,title,schoolSourcedId\nc1,x,o1\nc2,x,o2\n",
    enrollments="classSourcedId,userSourcedId,role\nc1,u1,student\nc2,u2,student\n",
)


@pytest.mark.parametrize(
    ("wanted", "classes"),
    [
        ({"school": "hillside"}, {"c1"}),
        ({"school": "x", "org": "Riverbend"}, {"c2"}),
        ({"org": "o1"}, {"c1"}),
    ],
)
def test_of_several_schools_in_one_export_one_is_meant(
    tmp_path: Path, wanted: dict[str, str], classes: set[str]
) -> None:
    assert read(folder(tmp_path / "a", TWO_SCHOOLS), **wanted).classes.keys() == classes


def test_which_school_is_meant_must_be_said_where_no_name_tells(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"under \[identity\]: o1 \(Hillside\), o2 \(Riverbend\)"):
        load_roster(folder(tmp_path / "a", TWO_SCHOOLS), Refused(), school="Alder")


def test_apple_school_manager_is_known_by_its_files(tmp_path: Path) -> None:
    found = read(zipped(tmp_path / "asm.zip", APPLE))
    (item,) = found.classes.values()
    assert (item.id, item.code, item.title) == ("C1", "101", "Algebra I")
    assert (item.subject, item.grade_band, item.periods) == ("Mathematics", "9-12", ())
    assert item.learners == {"eblock", "kai@school.example"}
    assert item.teachers == {"aday", "boday"}, "co-teachers too"


def test_a_person_is_who_the_inventory_calls_them(tmp_path: Path) -> None:
    refused = Refused()
    found = load_roster(
        zipped(tmp_path / "asm.zip", APPLE), refused, users=["EB@school.example", "50", "Ada@School.example"]
    )
    assert found.classes["C1"].learners == {"EB@school.example", "50"}
    assert "Ada@School.example" in found.staff and "49" not in found.staff


def test_apple_rows_that_point_nowhere_are_refused(tmp_path: Path) -> None:
    files = APPLE | {"rosters.csv": "roster_id;class_id;student_id\n1;C1;P1\n2;C9;P1\n3;C1;P9\n4;C1\n"}
    found, refused = counted(folder(tmp_path / "a", files))
    assert found.classes["C1"].learners == {"eblock"}
    assert refused == {
        "rosters.csv: unknown class": 1,
        "rosters.csv: unknown student": 1,
        "rosters.csv: wrong number of columns": 1,
    }


def raw_zip(path: Path, name: str, **info: int) -> Path:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        item = zipfile.ZipInfo(name)
        for key, value in info.items():
            setattr(item, key, value)
        archive.writestr(item, "x")
    path.write_bytes(data.getvalue())
    return path


@pytest.mark.parametrize("name", ["../users.csv", "/users.csv", "a/../../users.csv", "C:/users.csv"])
def test_a_zip_with_a_place_outside_of_it_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="outside of the zip"):
        load_roster(raw_zip(tmp_path / "a.zip", name), Refused())


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="outside of the zip"):
        load_roster(raw_zip(tmp_path / "a.zip", "users.csv", external_attr=0o120777 << 16), Refused())


def test_a_zip_bomb_is_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {f"{name}.csv": bytes(60 << 20) for name in "abcde"})
    assert path.stat().st_size < 1 << 20
    with pytest.raises(SettingsError, match="unpacks to more than a roster has"):
        load_roster(path, Refused())


@pytest.mark.parametrize("damage", ["cut", "inside", "none"])
def test_a_zip_that_is_broken_is_one_line_that_says_so(tmp_path: Path, damage: str) -> None:
    path = zipped(tmp_path / "a.zip", BASE)
    data = bytearray(path.read_bytes())
    if damage == "inside":
        at = data.index(b"users.csv") + len("users.csv")
        data[at : at + 20] = bytes(20)
    path.write_bytes({"cut": bytes(data[:-30]), "none": b"no zip at all"}.get(damage, bytes(data)))
    with pytest.raises(SettingsError, match="no readable zip") as caught:
        load_roster(path, Refused())
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_zip_that_may_not_be_read_is_not_called_broken(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", BASE)
    path.chmod(0)
    with pytest.raises(SettingsError, match="let the agent's user read it"):
        load_roster(path, Refused())


def test_a_zip_that_holds_the_zip_is_told_to_be_unpacked_once(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", BASE)
    with zipfile.ZipFile(tmp_path / "mail.zip", "w") as outer:
        outer.write(inner, "inner.zip")
    with pytest.raises(SettingsError, match="holds another zip: unpack it once"):
        load_roster(tmp_path / "mail.zip", Refused())


def test_a_folder_without_a_roster_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Apple School Manager"):
        load_roster(folder(tmp_path / "a", {"notes.csv": "a,b\n"}), Refused())
