"""What AWS's own translator makes of the templates in tests/import/sam, as it is: translated.json beside each.

    python3 -m venv target/translator && target/translator/bin/pip install aws-sam-translator==1.115.0 pyyaml
    target/translator/bin/python host-test/src/cli/import/sam/translate.py

A definition in a file stands in a bucket for the translator, as `sam package` would have put it there.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")

import yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator


class Loader(yaml.SafeLoader):
    """Knows the short forms of CloudFormation's functions."""


def function(loader, suffix, node):
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", function)


def in_a_bucket(value):
    if isinstance(value, dict):
        named = {k: v for k, v in value.items() if k == "DefinitionUri" and isinstance(v, str)}
        return {k: f"s3://bucket/{v}" if k in named else in_a_bucket(v) for k, v in value.items()}
    return [in_a_bucket(v) for v in value] if isinstance(value, list) else value


def translated(template):
    template = in_a_bucket(yaml.load(template, Loader))
    for resource in template["Resources"].values():
        if "CodeUri" in resource.get("Properties", {}):
            resource["Properties"]["CodeUri"] = "s3://bucket/code.zip"
    parameters = {k: v["Default"] for k, v in template.get("Parameters", {}).items() if "Default" in v}
    return Translator({}, Parser()).translate(template, parameters)


for file in sorted(Path("host-test/tests/import/sam").glob("*/template.yaml")):
    if len(sys.argv) > 1 and file.parent.name not in sys.argv[1:]:
        continue
    resources = translated(file.read_text())["Resources"]
    kept = ("AWS::ApiGateway", "AWS::Lambda::Function", "AWS::Lambda::Alias", "AWS::StepFunctions")
    resources = {name: r for name, r in resources.items() if r["Type"].startswith(kept)}
    text = json.dumps(resources, indent=1, sort_keys=True, separators=(",", ": "))
    (file.parent / "translated.json").write_text(text + "\n")
