"""An application's database as a dump: many tables, views, routines, triggers, events; and whether it is there once."""
from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

from galeralab import Server, SqlError

__all__ = ["DATABASE", "Dump"]

DATABASE = "shop"
_VIEWS, _ROUTINES, _TRIGGERS, _EVENTS = 10, 8, 12, 3
_HEAD = """/*M!999999\\- enable the sandbox mode */
-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET NAMES utf8mb4 */;
"""
_TAIL = "-- Dump completed on 2026-01-01  0:00:00\n"


class Dump:
    """A dump that cannot be loaded twice over itself: it drops nothing, and every table has its rows once."""

    def __init__(self, tables: int = 150, rows: int = 3, width: int = 20) -> None:
        self.tables, self.rows, self.width = max(tables, _TRIGGERS), rows, width

    def text(self) -> str:
        parts = [_HEAD]
        for number in range(self.tables):
            parts.append(self._table(number))
        for number in range(_TRIGGERS):
            # A trigger that runs for every row of the load: a second run of the same statements would show.
            parts.append(f"DELIMITER ;;\nCREATE TRIGGER trigger{number} AFTER INSERT ON t{number:03} FOR EACH ROW\n"
                         f"BEGIN\n  UPDATE counted SET n = n + 1 WHERE id = {number};\nEND ;;\nDELIMITER ;\n"
                         f"INSERT INTO t{number:03} (text) VALUES ('after the trigger');\n")
        for number in range(_VIEWS):
            parts.append(f"CREATE VIEW view{number} AS SELECT id, text FROM t{number:03} WHERE id > 0;\n")
        for number in range(_ROUTINES):
            kind = (f"PROCEDURE routine{number}(IN a INT)", f"FUNCTION routine{number}(a INT) RETURNS INT")[number % 2]
            body = ("SELECT a; SELECT ';';", "DECLARE b INT; SET b = a + 1; RETURN b;")[number % 2]
            parts.append(f"DELIMITER ;;\nCREATE {kind}\nBEGIN\n  {body}\nEND ;;\nDELIMITER ;\n")
        for number in range(_EVENTS):
            parts.append(f"DELIMITER ;;\nCREATE EVENT event{number} ON SCHEDULE EVERY 1 DAY DO BEGIN\n"
                         f"  DELETE FROM t{number:03} WHERE id < 0;\nEND ;;\nDELIMITER ;\n")
        return "".join([*parts, "/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;\n", _TAIL])

    def _table(self, number: int) -> str:
        parent = f", parent INT DEFAULT 1, CONSTRAINT fk{number} FOREIGN KEY (parent) REFERENCES t{number - 1:03} (id)"
        values = ",".join(f"('{number} {row} {'äöü;x' * (self.width // 5)}')" for row in range(self.rows))
        first = "" if number else (
            "CREATE TABLE counted (id INT PRIMARY KEY, n INT NOT NULL) ENGINE=InnoDB;\n"
            f"INSERT INTO counted VALUES {','.join(f'({i},0)' for i in range(_TRIGGERS))};\n")
        return (f"{first}CREATE TABLE t{number:03} (id INT NOT NULL PRIMARY KEY AUTO_INCREMENT, text MEDIUMTEXT"
                f"{parent if number else ''}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n"
                f"LOCK TABLES t{number:03} WRITE;\nINSERT INTO t{number:03} (text) VALUES {values};\nUNLOCK TABLES;\n")

    def write(self, path: Path) -> Path:
        """As the file's name says: .sql, .sql.gz or .sql.zst."""
        data = self.text().encode()
        if path.suffix == ".gz":
            path.write_bytes(gzip.compress(data))
        elif path.suffix == ".zst":
            path.write_bytes(subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout)
        else:
            path.write_bytes(data)
        return path

    # -- what must be there afterwards

    def expected(self) -> dict[str, int]:
        return {"tables": self.tables + 1, "views": _VIEWS, "routines": _ROUTINES, "triggers": _TRIGGERS, "events": _EVENTS,
                "rows": self.tables * self.rows + _TRIGGERS, "counted": _TRIGGERS, "least": self.rows}

    def found(self, server: Server, database: str = DATABASE) -> dict[str, int]:
        """The same, of what is there."""
        try:
            return dict(zip(self.expected(), map(int, server.sql(self._count(database))[0])))
        except SqlError as error:  # it repeats the statement
            raise AssertionError(f"{server.name}: {str(error)[-200:]}") from None

    def _count(self, database: str) -> str:
        def count(table: str, schema: str, more: str = "") -> str:
            return f"(SELECT COUNT(*) FROM information_schema.{table} WHERE {schema} = '{database}'{more})"

        base = " AND table_type = 'BASE TABLE'"
        rows = " UNION ALL ".join(f"SELECT COUNT(*) c FROM {database}.t{number:03}" for number in range(self.tables))
        return (f"SELECT {count('tables', 'table_schema', base)}, "
                f"{count('views', 'table_schema')}, {count('routines', 'routine_schema')}, "
                f"{count('triggers', 'trigger_schema')}, {count('events', 'event_schema')}, "
                f"SUM(c), (SELECT SUM(n) FROM {database}.counted), MIN(c) FROM ({rows}) all_tables")
