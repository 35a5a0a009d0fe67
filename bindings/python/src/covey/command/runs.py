"""run.yaml: which files, columns and options a run had, so that it can be repeated."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any, Dict, Optional

import click
import yaml

from .columns import Roles
from .tables import FORMATS, Formats, write_bytes


def file_hash(path: str) -> str:
    """SHA-256 of a file."""
    found = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                found.update(block)
    except OSError as failure:
        raise click.ClickException(f"cannot read {path!r}: {failure.strerror}") from None
    return found.hexdigest()


@dataclasses.dataclass
class Run:
    """Inputs by their role, each with its path and hash; columns by role; options of covey.find."""

    inputs: Dict[str, Dict[str, str]]
    columns: Dict[str, str]
    options: Dict[str, Any]
    form: Formats = None

    @classmethod
    def of(
        cls,
        inputs: Dict[str, Optional[str]],
        columns: Dict[str, str],
        encoder: Optional[str],
        options: Dict[str, Any],
        form: Formats,
    ) -> "Run":
        named = {**inputs, "encoder": encoder}
        found = {}
        for role, path in named.items():
            if path == "-":
                found[role] = {"path": "-"}
            elif path is not None:
                found[role] = {"path": str(Path(path).resolve()), "sha256": file_hash(path)}
        return cls(found, columns, options, form)

    def path(self, role: str) -> Optional[str]:
        return self.inputs.get(role, {}).get("path")

    def fingerprint(self) -> Optional[str]:
        """What tells this run from others; None if an input was a stream, of which nobody knows what it was."""
        return self._hash(self.inputs, self.columns, self.options)

    def encoder_fingerprint(self) -> Optional[str]:
        """The same of what the encoder depends on: options of the search leave it as it is."""
        columns = {role: self.columns.get(role) for role in ("key", "time", "event", "dwell")}
        options = {name: self.options.get(name) for name in ("training", "seed")}
        return self._hash(self.inputs, columns, options)

    def _hash(self, inputs: Dict[str, Dict[str, str]], *parts: Any) -> Optional[str]:
        if any(item["path"] == "-" for item in inputs.values()):
            return None
        hashes = {role: item.get("sha256") for role, item in inputs.items()}
        text = json.dumps([hashes, self.form, *parts], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def write(self, path: Path) -> None:
        from .. import __version__

        content = {
            "covey": __version__,
            "command": "find",
            "inputs": self.inputs,
            "columns": self.columns,
            "options": self.options,
        }
        if self.form is not None:
            content["format"] = self.form
        head = "# Repeat with: covey run run.yaml -o FOLDER\n"
        write_bytes((head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)).encode(), str(path))

    @classmethod
    def read(cls, path: str) -> "Run":
        """Errors name the field."""
        try:
            content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except OSError as failure:
            raise click.ClickException(f"cannot read {path!r}: {failure.strerror}") from None
        except (yaml.YAMLError, ValueError, RecursionError):
            raise click.ClickException(f"{path!r} is no run file: it is no YAML") from None
        if not isinstance(content, dict) or content.get("command") != "find":
            raise click.ClickException(f"{path!r} is no run file: it lacks `command: find`")
        for field in ("inputs", "columns", "options"):
            if not isinstance(content.get(field), dict):
                raise click.ClickException(f"{path!r}: {field} must be a mapping")
        if not all(isinstance(name, str) for name in content["options"]):
            raise click.ClickException(f"{path!r}: the names of options must be strings")
        form = content.get("format")
        for value in form.values() if isinstance(form, dict) else [form]:
            if value is not None and value not in FORMATS:
                raise click.ClickException(f"{path!r}: format has {value!r}; it takes {list(FORMATS)}")
        known = {field.name for field in dataclasses.fields(Roles)}
        for role in content["columns"]:
            if role not in known:
                raise click.ClickException(f"{path!r}: columns has {role!r}; it takes {sorted(known)}")
        for role, item in content["inputs"].items():
            if (
                role not in ("events", "features", "encoder")
                or not isinstance(item, dict)
                or not isinstance(item.get("path"), str)
                or "\0" in item["path"]
            ):
                raise click.ClickException(
                    f"{path!r}: inputs.{role} must be of events, features or encoder, with a path"
                )
        return cls(content["inputs"], content["columns"], content["options"], content.get("format"))

    def check_inputs(self) -> None:
        """Refuses files that have changed since."""
        for role, item in self.inputs.items():
            if item["path"] == "-":
                raise click.ClickException(f"the run read its {role} from standard input: it cannot be repeated")
            if file_hash(item["path"]) != item.get("sha256"):
                raise click.ClickException(
                    f"{role}: {item['path']!r} has changed since the run: its SHA-256 is another"
                )
