"""Writes data/models.json, the chat models of the presets, from a table of models.

    python3 generate.py TABLE.json

TABLE.json: {"generated": DATE, "models": [{provider, id, kind, max_output, endpoints?, ends?}, ...]}. Taken are the chat
models that answer on the chat endpoint and are still offered at the table's date; batch-only variants are left out.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent


def wanted(model, date):
    endpoints = model.get("endpoints")
    return (
        model["kind"] == "chat"
        and (endpoints is None or "/v1/chat/completions" in endpoints)
        and not model["id"].endswith(":batch")
        and (model.get("ends") or "9999") > date
    )


def main(table_path):
    table = json.loads(pathlib.Path(table_path).read_text())
    presets = json.loads((HERE / "data/presets.json").read_text())
    models = {name: {} for name in presets}
    for model in table["models"]:
        if model["provider"] in models and wanted(model, table["generated"]):
            limit = model.get("max_output")
            models[model["provider"]][model["id"]] = {"maxOutputTokens": limit} if limit else {}
    text = json.dumps(models, indent=1, sort_keys=True)
    (HERE / "data/models.json").write_text(text + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
