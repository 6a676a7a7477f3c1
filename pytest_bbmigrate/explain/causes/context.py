"""What a finding is explained from: the statements of its step and the tables on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from pytest_bbmigrate.catalogue import PythonPart, SqlPart
from pytest_bbmigrate.explain.causes.statements import (
    Tokens,
    commands_of,
    read_copies,
    read_statements,
)
from pytest_bbmigrate.runner.profiles import PragmaRule
from pytest_bbmigrate.runner.transactions import as_run_by, read_transactions, switched_to
from pytest_bbmigrate.sql.clauses import Delete, Insert, Pragma, Update
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.schema_clauses import (
    AddColumn,
    CreateTable,
    Drop,
    DropColumn,
    RenameTable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.catalogue import Part
    from pytest_bbmigrate.experiment import DatabaseDiff, Evidence, TableDiff
    from pytest_bbmigrate.explain.copies import Copy
    from pytest_bbmigrate.runner import Run
    from pytest_bbmigrate.schema import Schema, Table, Trigger, View
    from pytest_bbmigrate.sql.reading import Command
    from pytest_bbmigrate.sql.values import Cell
    from pytest_bbmigrate.verdict import Finding

C = TypeVar("C")


@dataclass(frozen=True)
class FindingContext:
    """One finding and the step of the experiment that it was made in."""

    finding: Finding
    evidence: Evidence

    @property
    def run(self) -> Run:
        """What the step ran."""
        runs = {
            "down": self.evidence.down,
            "down after writing": self.evidence.down_after_writing,
            "up again": self.evidence.second_up,
        }
        return runs.get(self.finding.step) or self.evidence.up

    @property
    def part(self) -> Part:
        """The part of the migration that the step ran."""
        down = self.evidence.migration.down
        return down if self.is_back and down else self.evidence.migration.up

    @property
    def is_back(self) -> bool:
        """Whether the step was down."""
        return self.finding.step in {"down", "down after writing"}

    @property
    def executed(self) -> tuple[str, ...]:
        """The SQL that the step gave SQLite."""
        return self.run.executed

    @property
    def statements(self) -> tuple[Tokens, ...]:
        """The folded tokens of each of its statements."""
        return read_statements(self.executed)

    @property
    def commands(self) -> tuple[Command, ...]:
        """The clauses of each of its statements."""
        return commands_of(self.executed)

    @property
    def up_commands(self) -> tuple[Command, ...]:
        """The clauses of each statement of the first run of up."""
        return commands_of(self.evidence.up.executed)

    @property
    def up_statements(self) -> tuple[Tokens, ...]:
        """The folded tokens of each statement of the first run of up."""
        return read_statements(self.evidence.up.executed)

    @property
    def table(self) -> str:
        """The finding's table, folded, by its name in the state before up."""
        return fold_name(self.finding.table)

    @property
    def column(self) -> str:
        """The finding's column, folded."""
        return fold_name(self.finding.column)

    @cached_property
    def diff(self) -> TableDiff | None:
        """What differs in the finding's table after up; None when nothing does."""
        return table_diff_of(self.evidence.up_diff, self.table)

    @property
    def name_after_up(self) -> str:
        """The name that the finding's table has after up, folded."""
        renames = self.evidence.up_diff.renames.tables if self.evidence.up_diff else {}
        after = self.diff.after if self.diff else None
        return fold_name(after or renames.get(self.table, self.table))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names, folded, that the finding's table had one after another in the step."""
        names = [self.name_after_up if self.is_back else self.table]
        for command in self.commands:
            if isinstance(command, RenameTable) and command.table.folded == names[-1]:
                names.append(fold_name(command.new))
        return tuple(names)

    @property
    def name_at_end(self) -> str:
        """The name, folded, under which the step leaves what the finding's table became."""
        return self.table if self.is_back else self.name_after_up

    @property
    def schema_before(self) -> Schema | None:
        """The schema that the step began with; None when that is not known."""
        return self.evidence.schema_after if self.is_back else self.evidence.state.schema

    @property
    def schema_at_end(self) -> Schema | None:
        """The schema that the step should have led to, or did; None when it led nowhere."""
        return self.evidence.state.schema if self.is_back else self.evidence.schema_after

    @property
    def table_before(self) -> Table | None:
        """The finding's table as the step met it."""
        return self.schema_before.table(self.names[0]) if self.schema_before else None

    @property
    def table_at_end(self) -> Table | None:
        """What the finding's table became."""
        return self.schema_at_end.table(self.name_at_end) if self.schema_at_end else None

    @property
    def broken_object(self) -> Tokens:
        """The tokens of the view or trigger that the finding is about, as they are after up."""
        after = self.evidence.schema_after
        objects: list[View | Trigger] = [*after.views, *after.triggers] if after else []
        name = fold_name(self.finding.name)
        return next((item.tokens for item in objects if fold_name(item.name) == name), ())

    @property
    def values(self) -> tuple[tuple[Cell, Cell], ...]:
        """The cells of the examples, before and after."""
        return tuple(
            (example.before[0][1], example.after[0][1])
            for example in self.finding.examples
            if example.before and example.after
        )

    def of_kind(self, kind: type[C]) -> Iterator[C]:
        """Yield the statements of one kind."""
        return (command for command in self.commands if isinstance(command, kind))

    def deletes_from(self, table: str) -> bool:
        """Return whether a DELETE is from ``table`` (folded)."""
        return any(command.table.folded == table for command in self.of_kind(Delete))

    def inserts_into(self, table: str) -> bool:
        """Return whether an INSERT or REPLACE is into ``table`` (folded)."""
        return any(command.table.folded == table for command in self.of_kind(Insert))

    def replaces_in(self, table: str) -> bool:
        """Return whether rows of ``table`` (folded) give way to what is written."""
        return any(
            isinstance(command, Insert | Update)
            and command.table.folded == table
            and command.conflict == "replace"
            for command in self.commands
        )

    def adds_to(self, *tables: str) -> bool:
        """Return whether a column is added to one of ``tables`` (folded)."""
        return any(command.table.folded in tables for command in self.of_kind(AddColumn))

    def creates(self, table: str) -> bool:
        """Return whether a table is made that is called ``table`` (folded)."""
        return any(command.name.folded == table for command in self.of_kind(CreateTable))

    def dropped(self, *names: str, kind: str = "table") -> bool:
        """Return whether the step dropped something of that ``kind`` with one of ``names``."""
        return any(
            command.kind == kind and command.name.folded in names for command in self.of_kind(Drop)
        )

    @property
    def rebuilt(self) -> bool:
        """Whether the table was dropped and another stands in its place."""
        down_schema = (
            self.evidence.down_diff.schema if self.evidence.down_diff and self.is_back else ()
        )
        is_gone = any(
            d.kind == "table lost" and fold_name(d.table) == self.table for d in down_schema
        )
        return self.dropped(*self.names) and self.table_at_end is not None and not is_gone

    def name_later(self, name: str, position: int) -> str:
        """Return what the table ``name`` is called after all statements from ``position`` on."""
        for command in self.commands[position:]:
            if isinstance(command, RenameTable) and command.table.folded == name:
                name = fold_name(command.new)
        return name

    @cached_property
    def copies(self) -> tuple[Copy, ...]:
        """The copies of the finding's table into what it became."""
        return tuple(
            copy
            for copy in read_copies(self.executed)
            if copy.source in self.names and self.is_target(copy)
        )

    def is_target(self, copy: Copy) -> bool:
        """Return whether ``copy`` fills what the finding's table became."""
        return self.name_later(copy.target, copy.position + 1) == self.name_at_end

    def expressions(self, copy: Copy) -> dict[str, Tokens]:
        """Return what each column gets in ``copy``, {} where that cannot be told."""
        source, target = self.table_before, self.table_at_end
        return copy.expressions(
            target.stored_columns if target else (),
            self.columns_at(source, copy.position) if source else (),
        )

    def columns_at(self, table: Table, position: int) -> tuple[str, ...]:
        """Return the columns of ``table``, folded, as ADD and DROP COLUMN have left them."""
        columns = list(table.stored_columns)
        for command in self.commands[:position]:
            if not isinstance(command, AddColumn | DropColumn):
                continue
            column = fold_name(command.column)
            if command.table.folded not in self.names:
                continue
            if isinstance(command, AddColumn):
                columns.append(column)
            elif column in columns:
                columns.remove(column)
        return tuple(columns)

    @property
    def column_at_end(self) -> str:
        """The name that the finding's column has at the end of the step, folded."""
        columns = self.diff.columns if self.diff and not self.is_back else {}
        return fold_name(columns.get(self.column, self.column))

    @property
    def enforced(self) -> bool:
        """Whether foreign keys were enforced where the step wrote or dropped something."""
        enforced = self.run.foreign_keys
        if self.in_transaction:
            return enforced
        for command in self.commands:
            switched = switched_to(command)
            if switched is not None:
                enforced = switched
            elif enforced and isinstance(command, Insert | Update | Delete | Drop):
                return True
        return False

    @property
    def enforced_by_runner(self) -> bool:
        """Whether they were because the connection has them on, and no line of the files."""
        part, profile = self.part, self.evidence.profile
        if not self.run.foreign_keys:
            return False
        if self.evidence.migration.contract.foreign_keys is not None:
            return bool(profile.foreign_keys)
        if isinstance(part, SqlPart) and profile.pragma is PragmaRule.DECLARES:
            return not read_transactions(part.statements).foreign_keys
        return True

    @property
    def pragmas(self) -> Iterator[Pragma]:
        """The step's PRAGMA statements, those that the runner left out too."""
        return (command for command in self.written_commands if isinstance(command, Pragma))

    @property
    def written_commands(self) -> tuple[Command, ...]:
        """The clauses of each statement of the part as it is written, else of those that ran."""
        part = self.part
        texts = self.executed
        if isinstance(part, SqlPart):
            texts = tuple(statement.text for statement in part.statements)
        return commands_of(texts)

    def sets_pragma(self, *names: str) -> bool:
        """Return whether one of these pragmas is set."""
        return any(
            pragma.is_called(name) and pragma.value is not None
            for pragma in self.pragmas
            for name in names
        )

    @property
    def in_transaction(self) -> bool:
        """Whether the step ran in the runner's transaction."""
        part = self.part
        if isinstance(part, SqlPart):
            return as_run_by(self.evidence.profile, part).in_transaction
        return isinstance(part, PythonPart) and part.in_transaction


def table_diff_of(diff: DatabaseDiff | None, table: str) -> TableDiff | None:
    """Return what ``diff`` says of the table called ``table`` (folded); None when nothing."""
    tables = diff.tables if diff else ()
    return next((table_diff for table_diff in tables if fold_name(table_diff.table) == table), None)
