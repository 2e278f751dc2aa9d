"""The software bill of materials of the Lambda package, in CycloneDX 1.6, with the licences.

https://cyclonedx.org/docs/1.6/json/
"""

import json
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import eventsite

CLASSIFIER = "License :: OSI Approved :: "


def document(target: Path) -> str:
    """Return the bill of materials of an unzipped package as JSON. It depends on the packages only."""
    application = {"type": "application", "name": "eventsite", "version": eventsite.__version__}
    components = sorted(map(_component, distributions(path=[str(target)])), key=lambda each: each["purl"])
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"component": application}}
    return json.dumps(head | {"components": components}, indent=2)


def _component(found: Distribution) -> dict[str, Any]:
    name = found.name.lower().replace("_", "-")
    purl = f"pkg:pypi/{name}@{found.version}"
    component = {"type": "library", "bom-ref": purl, "name": name, "version": found.version, "purl": purl}
    return component | {"licenses": [{"license": {"name": licence(found)}}]}


def licence(found: Distribution) -> str:
    """Return the licence of an installed package: its SPDX expression, or the text of older metadata."""
    metadata: Any = found.metadata
    classified = [line.removeprefix(CLASSIFIER) for line in metadata.get_all("Classifier", []) if CLASSIFIER in line]
    named = metadata.get("License", "")
    found_in = (metadata.get("License-Expression"), "" if "\n" in named else named, ", ".join(classified))
    return next(filter(None, found_in), "unknown")
