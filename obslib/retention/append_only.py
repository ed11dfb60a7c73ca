"""The DDL that lets a PostgreSQL table grow and nothing else.

The event log is permanent (requirements RET-05, RET-06), and "we never update it" is a promise only the
database can keep. Two fences stand behind each other: the application's role has no privilege but to read and
to insert, and a trigger refuses every other change to anybody, the owner and a superuser included, until
someone removes it on purpose.
"""

from __future__ import annotations

from obslib.errors import SettingsError

__all__ = ["append_only"]


def append_only(table: str, *, role: str) -> str:
    """Statements that make ``table`` append-only and leave ``role`` only SELECT and INSERT on it.

    ``table`` may name its schema (``audit.records``); both it and ``role`` must exist. Run the text as the
    table's owner, in one transaction; running it again changes nothing. It fails when ``role`` owns the table,
    because an owner can give itself any privilege back. UPDATE, DELETE, TRUNCATE, MERGE and ``ON CONFLICT DO UPDATE``
    then fail with SQLSTATE 42501 for everybody. Raises SettingsError on an empty name.
    """
    *schema, name = (_quoted(part) for part in table.split("."))
    qualified = ".".join((*schema, name))
    guard = _quoted(f"{table.rpartition('.')[2]}_append_only")
    function = ".".join((*schema, guard))
    owner = _quoted(role)
    return f"""
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    RAISE EXCEPTION '% on % is refused: the table is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', HINT = 'Append a correcting record instead.';
END
$guard$;
CREATE OR REPLACE TRIGGER {guard} BEFORE UPDATE OR DELETE OR TRUNCATE ON {qualified}
    FOR EACH STATEMENT EXECUTE FUNCTION {function}();
ALTER TABLE {qualified} ENABLE ALWAYS TRIGGER {guard};
DO $guard$
BEGIN
    IF (SELECT relowner FROM pg_class WHERE oid = {_literal(qualified)}::regclass) = {_literal(owner)}::regrole THEN
        RAISE EXCEPTION 'role % owns table %, so no privilege can be kept from it', {_literal(owner)}, {_literal(qualified)}
            USING HINT = 'Let another role own the table.';
    END IF;
END
$guard$;
REVOKE ALL ON {qualified} FROM PUBLIC, {owner};
GRANT SELECT, INSERT ON {qualified} TO {owner};
"""


def _quoted(identifier: str) -> str:
    if not identifier or "\0" in identifier or "$guard$" in identifier:
        raise SettingsError(f"{identifier!r} is not a name PostgreSQL can use; name a table (or schema.table) and a role")
    return '"' + identifier.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
