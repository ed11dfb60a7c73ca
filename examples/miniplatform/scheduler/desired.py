"""What every group should be: its process in the release's manifest, under a hash that names exactly that.

An instance belongs to the present version of its group when the hashes are equal, whatever deploy it came
from; so a second deploy of the same release moves nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from pydantic import ValidationError

from miniplatform.wire import WorkloadSpec

__all__ = ["InvalidManifest", "group_spec_hash", "workload_spec"]


class InvalidManifest(ValueError):
    """A release's manifest cannot be run; the API refuses such manifests, so this is a defect or an old release."""

    reason = "internal"


def workload_spec(manifest: Mapping[str, object], process_type: str) -> WorkloadSpec | None:
    """What an instance of ``process_type`` runs; ``None`` when the release does not have that process type."""
    processes = manifest.get("process")
    process = processes.get(process_type) if isinstance(processes, Mapping) else None
    if process is None:
        return None
    try:
        return WorkloadSpec.model_validate(process)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors(include_url=False))
        raise InvalidManifest(f"process {process_type!r} of the manifest cannot be run ({problems})") from None


def group_spec_hash(*, release_id: str, manifest_hash: str, spec: WorkloadSpec) -> str:
    """``sha256:…`` over what makes two instances interchangeable (platform facts §7)."""
    content = {"release": release_id, "manifest": manifest_hash, "spec": spec.model_dump(mode="json")}
    return f"sha256:{hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()}"
